import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatheredRecords, noRecords } from '../../src/capture/gathered-records.ts'
import { op, type RecordBatch } from '../../src/segment/segment.ts'
import { seededRandom, testSeed } from '../support/random.ts'

interface Plain {
  readonly page: number
  readonly hash: bigint
  readonly op: number
  readonly value: string
}

function plain({ pages, ops, lengths, hashes, values }: RecordBatch): Plain[] {
  let offset = 0
  const records = Array.from(pages, (page, at) => {
    const start = offset
    offset += lengths[at] ?? 0
    const value = Buffer.from(values.subarray(start, offset)).toString('hex')
    return { page, hash: hashes[at] ?? 0n, op: ops[at] ?? 0, value }
  })
  assert.equal(offset, values.length)
  return records
}

test('gathered records are those that were added, whatever was cut back or moved on', (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  let gathered = GatheredRecords.take()
  let expected: Plain[] = []
  const marks = [gathered.end]
  for (let step = 0; step < 400; step++) {
    const mark = marks[random.below(marks.length)] ?? noRecords
    const kind = random.below(16)
    if (kind === 0) {
      gathered.cutBack(mark)
      expected = expected.slice(0, mark.count)
    } else if (kind === 1) {
      assert.deepEqual(plain(gathered.upTo(mark)), expected.slice(0, mark.count))
      const next = GatheredRecords.take()
      next.addAfter(mark, gathered)
      gathered.give()
      gathered = next
      expected = expected.slice(mark.count)
    } else {
      for (let more = random.below(60); more > 0; more--) {
        const value = random.bytes(random.below(300))
        const [page, hash, operation] = [
          1 + random.below(2 ** 31),
          BigInt(random.below(2 ** 32)),
          random.pick([op.full, op.patch]),
        ]
        gathered.add(page, hash, operation, value)
        expected.push({ page, hash, op: operation, value: Buffer.from(value).toString('hex') })
      }
      marks.push(gathered.end)
      continue
    }
    marks.splice(0, marks.length, noRecords, gathered.end)
  }
  assert.deepEqual(plain(gathered.upTo(gathered.end)), expected)
})

test('one that was given back comes out empty', () => {
  const first = GatheredRecords.take()
  first.add(7, 1n, op.full, Buffer.from('abc'))
  first.give()
  assert.deepEqual(GatheredRecords.take().end, noRecords)
})
