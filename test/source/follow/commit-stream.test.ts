import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { seededRandom, testSeed } from '../../support/random.ts'
import { type MadeFrame, makeLog, openMade, pageSize } from './made-log.ts'

const frameBytes = 24 + pageSize
const taken = () => ({ commits: 0, bytes: 0 })

/** What each page holds, by its first byte. */
const fills = (image: Buffer) => Array.from({ length: image.length / pageSize }, (_, page) => image[page * pageSize])

const twoCommits: readonly MadeFrame[] = [
  { page: 3, fill: 30 },
  { page: 1, fill: 10 },
  { page: 3, fill: 31, commit: 3 },
  { page: 2, fill: 20, commit: 3 },
]

test('of a page that a transaction wrote several times, the last frame counts', async () => {
  for (const bigEndian of [false, true]) {
    using made = openMade(makeLog(twoCommits, bigEndian), [1, 2, 3])
    const result = taken()
    await made.stream.takeUpTo(4, made.copy, result)
    assert.deepEqual(result, { commits: 2, bytes: 4 * frameBytes })
    assert.deepEqual(fills(made.copy.image), [10, 20, 31])
    assert.equal(made.copy.withoutFormer, 0)
  }
})

test('nothing beyond the horizon is taken, whole and committed as it may look', async () => {
  using made = openMade(makeLog(twoCommits), [1, 2, 3])
  await made.stream.takeUpTo(3, made.copy, taken())
  assert.deepEqual(fills(made.copy.image), [10, 2, 31])
  assert.equal(made.stream.position.frame, 3)
})

test('a horizon within a transaction is no horizon', async () => {
  using made = openMade(makeLog(twoCommits), [1, 2, 3])
  await assert.rejects(() => made.stream.takeUpTo(2, made.copy, taken()), { reason: 'frames-vanished' })
  assert.equal(made.copy.commits, 0)
})

test('a commit frame that is repeated up to the end of a sector is one commit', async () => {
  const last = { page: 2, fill: 9, commit: 2 }
  using made = openMade(makeLog([{ page: 1, fill: 8 }, last, last, last, { page: 1, fill: 7, commit: 2 }]), [1, 2])
  const result = taken()
  await made.stream.takeUpTo(5, made.copy, result)
  assert.deepEqual(result, { commits: 2, bytes: 5 * frameBytes })
  assert.deepEqual(fills(made.copy.image), [7, 9])
})

test('a database that shrinks and grows: pages come and go, and what comes back is new', async () => {
  const frames = [
    { page: 1, fill: 11, commit: 1 },
    { page: 1, fill: 12 },
    { page: 2, fill: 22 },
    { page: 3, fill: 32, commit: 3 },
    { page: 4, fill: 43 },
    { page: 2, fill: 23, commit: 3 },
  ]
  using made = openMade(makeLog(frames), [1, 2, 3, 4])
  const counts: number[] = []
  made.copy.onCommit = () => {
    counts.push(made.copy.pageCount)
  }
  await made.stream.takeUpTo(6, made.copy, taken())
  assert.deepEqual(counts, [1, 3, 3])
  assert.deepEqual(fills(made.copy.image), [12, 23, 32])
})

test('a database that grew by a page which is in no frame was not followed: something is missing', async () => {
  const grown = [
    { page: 1, fill: 9 },
    { page: 5, fill: 9, commit: 5 },
  ]
  using made = openMade(makeLog(grown), [1, 2, 3])
  await assert.rejects(() => made.stream.takeUpTo(2, made.copy, taken()), { reason: 'page-missing' })
})

test('a former page that is not what it should be is not handed out', async () => {
  const frames = [{ page: 2, fill: 9, commit: 2 }]
  using sure = openMade(makeLog(frames), [1, 2])
  sure.stream.table.apply(
    {
      firstFrame: 0,
      lastFrame: 0,
      pageCount: 2,
      checksum: [0, 0],
      pages: Uint32Array.of(2),
      frames: Uint32Array.of(0),
    },
    BigUint64Array.of(77n),
  )
  await assert.rejects(() => sure.stream.takeUpTo(1, sure.copy, taken()), { reason: 'audit-failed' })
})

test('a former page that changed in the log since it was taken is not handed out', async () => {
  const frames = [
    { page: 2, fill: 9, commit: 2 },
    { page: 2, fill: 10, commit: 2 },
  ]
  using made = openMade(makeLog(frames), [1, 2])
  await made.stream.takeUpTo(1, made.copy, taken())
  const altered = makeLog(frames)
  altered.writeUInt8(99, 32 + 24 + 100)
  writeFileSync(made.logPath, altered)
  await assert.rejects(() => made.stream.takeUpTo(2, made.copy, taken()), { reason: 'audit-failed' })
  assert.deepEqual(fills(made.copy.image), [1, 9])
})

test('one flipped bit anywhere up to the horizon ends it, after the commits before', async () => {
  const log = makeLog(twoCommits)
  for (let position = 0; position < log.length; position += 13) {
    const bytes = Buffer.from(log)
    bytes[position] = (bytes[position] ?? 0) ^ 4
    using made = openMade(bytes, [1, 2, 3])
    await assert.rejects(() => made.stream.takeUpTo(4, made.copy, taken()), { name: 'LostContinuity' }, `${position}`)
    assert.equal(made.copy.commits, position < 32 + 3 * frameBytes ? 0 : 1)
  }
  using short = openMade(log.subarray(0, log.length - 1), [1, 2, 3])
  await assert.rejects(() => short.stream.takeUpTo(4, short.copy, taken()), { reason: 'frames-vanished' })
})

test('random transactions of any size, taken in any number of drains, give what a plain replay gives', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  const frames: MadeFrame[] = []
  const ends: number[] = []
  let state = Array.from({ length: 20 }, (_, page) => page)
  const states: number[][] = []
  for (let commit = 0; commit < 60; commit++) {
    const pageCount = 1 + random.below(5000)
    const written: number[] = Array.from({ length: 1 + random.below(30) }, () => 1 + random.below(pageCount))
    for (let page = state.length + 1; page <= pageCount; page++) written.splice(random.below(written.length), 0, page)
    const next = state.slice(0, pageCount)
    for (const [index, page] of written.entries()) {
      const fill = random.below(256)
      next[page - 1] = fill
      frames.push({ page, fill, ...(index === written.length - 1 ? { commit: pageCount } : {}) })
    }
    state = next
    ends.push(frames.length)
    states.push(state)
  }
  using made = openMade(
    makeLog(frames, random.chance(50)),
    Array.from({ length: 20 }, (_, page) => page),
  )
  made.copy.onCommit = () => assert.deepEqual(fills(made.copy.image), states[made.copy.commits - 1])
  for (const [index, end] of ends.entries()) {
    if (index === ends.length - 1 || random.chance(30)) await made.stream.takeUpTo(end, made.copy, taken())
  }
  assert.equal(made.copy.commits, 60)
  assert.equal(made.copy.withoutFormer, 0)
})
