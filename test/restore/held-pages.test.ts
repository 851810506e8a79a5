import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldPages } from '../../src/restore/held-pages.ts'
import { seededRandom, testSeed } from '../support/random.ts'

test('pages are held as they were set, and can be changed in place, also in memory that is used again', (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  for (const pageSize of [512, 65_536]) {
    const held = new HeldPages(pageSize)
    for (let round = 0; round < 3; round++) {
      const model = new Map<number, Uint8Array>()
      for (let step = 0; step < 200; step++) {
        const page = 1 + random.below(60)
        const present = held.get(page)
        assert.equal(held.has(page), model.has(page))
        assert.deepEqual(present && Buffer.from(present), model.get(page) && Buffer.from(model.get(page) ?? []))
        if (present !== undefined && random.chance(50)) {
          const [at, byte] = [random.below(pageSize), random.below(256)]
          present[at] = byte
          model.get(page)?.fill(byte, at, at + 1)
        } else {
          const value = new Uint8Array(pageSize).fill(random.below(256))
          held.set(page, value)
          model.set(page, Uint8Array.from(value))
        }
      }
      assert.deepEqual(
        [...held.numbers()],
        [...model.keys()].sort((a, b) => a - b),
      )
      assert.equal(held.bytes, model.size * pageSize)
      held.clear()
      assert.equal(held.bytes, 0)
    }
  }
})
