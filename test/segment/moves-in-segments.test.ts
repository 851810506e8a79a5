import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { toLsn } from '../../src/history/lsn.ts'
import { composePatches } from '../../src/segment/compose-patches.ts'
import { findDamage } from '../../src/segment/damage-report.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { op } from '../../src/segment/segment.ts'
import { forge } from './forge.ts'
import { collect, fullRecord, header, logSegment, memoryInput, noise, type TestSegment, write } from './helpers.ts'
import { toBytes } from './patch-model.ts'

const former = noise(512, 1)
const moved = Uint8Array.from(former).copyWithin(30, 10, 200)
const changed = Uint8Array.from(former).fill(7, 30, 40)
const withMoves = logSegment([[[1, former]], [[1, moved]]], { codec: 'none' })
const withoutMoves = logSegment([[[1, former]], [[1, changed]]], { codec: 'none' })

suite('the index says whether patches move bytes', () => {
  const open = async (segment: TestSegment, flags: number) =>
    await openSegment(memoryInput(await forge(await write(segment), [], [], flags)), { object: 'x.hfs' })

  test('so that a reader that does not know of it refuses', async () => {
    for (const [segment, hasMoves] of [
      [withMoves, true],
      [withoutMoves, false],
    ] as const) {
      const { totals } = await openSegment(memoryInput(await write(segment)))
      assert.deepEqual([totals.hasPatches, totals.hasMoves], [true, hasMoves])
    }
    await assert.rejects(open(withMoves, 7), { code: 'FORMAT_TOO_NEW', object: 'x.hfs', message: /index flags/ })
  })

  test('and is damaged where it says less than there is', async () => {
    const sound = await open(withMoves, 3)
    assert.deepEqual(await findDamage(sound.checkContents()), [])
    for (const flags of [0, 1]) {
      const reader = await open(withMoves, flags)
      await assert.rejects(collect(reader.records()), { code: 'INTEGRITY', message: /the index knows of none/ })
      assert.notDeepEqual(await findDamage(reader.checkContents()), [])
    }
    await assert.rejects(open(withMoves, 2), { code: 'INTEGRITY', message: /and no patches/ })
  })
})

test('a patch that outgrew a block is stored alone in one, and read', async () => {
  const pageSize = 65_536
  const xor = noise(pageSize, 3).map((byte) => byte | 1)
  const reversed = toBytes({ xor, sources: Uint32Array.from(xor.keys()).reverse() })
  const large = composePatches(reversed, new Uint8Array(0), pageSize)
  assert.ok(large.length > 262_144, `${large.length} bytes`)
  const records = [1, 2, 3, 4, 5].map((number) => {
    const full = fullRecord(number, noise(pageSize, number))
    if (number === 3) return { ...full, op: op.patch, value: large }
    return number === 4 ? { ...full, op: op.patch, value: new Uint8Array(0) } : full
  })
  const end = { to: toLsn(9), lastTime: 1_800_000_000_000, endState: 3n, pageCount: 5 }
  for (const codec of ['none', 'zstd'] as const) {
    for (const batchSizes of [[5], [1], [3, 2]]) {
      const top = header({ kind: 'delta', pageSize, from: toLsn(4), codec })
      const bytes = await write({ header: top, end, records, commits: [], batchSizes })
      const reader = await openSegment(memoryInput(bytes))
      assert.deepEqual(await findDamage(reader.checkContents()), [])
      const blocks = await collect(reader.records())
      assert.deepEqual(
        blocks.map(({ pages }) => [...pages]),
        [[1, 2], [3], [4, 5]],
      )
      assert.deepEqual(Buffer.from(blocks[1]?.values ?? []), Buffer.from(large))
    }
  }
})
