import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PageHashes } from '../../src/segment/page-hashes.ts'
import { seededRandom, testSeed } from '../support/random.ts'

test('of each page the newest hash is kept, ascending by page, without those beyond the last', (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  for (let round = 0; round < 20; round++) {
    const table = new PageHashes()
    const model = new Map<number, bigint>()
    const highest = random.pick([50, 5_000, 2 ** 32 - 2])
    for (let batch = 0; batch < 20; batch++) {
      const pages = Uint32Array.from({ length: random.below(300) }, () => 1 + random.below(highest))
      const hashes = BigUint64Array.from(pages, () => BigInt(random.below(2 ** 32)) << 32n)
      table.add(pages, hashes)
      for (const [at, page] of pages.entries()) model.set(page, hashes[at] ?? 0n)
    }
    const pageCount = random.chance(50) ? highest : Math.ceil(highest / 2)
    const expected = [...model].filter(([page]) => page <= pageCount).sort(([a], [b]) => a - b)
    const { pages, hashes } = table.sorted(pageCount)
    assert.deepEqual(
      Array.from(pages, (page, at) => [page, hashes[at]]),
      expected,
    )
  }
})
