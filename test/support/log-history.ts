/** Random commits on a small database in memory, stored as logs and deltas: a history whose every state is known. */
import { type Lsn, toLsn } from '../../src/history/lsn.ts'
import type { SegmentInfo, SegmentKind } from '../../src/history/segment-info.ts'
import { addHash, emptyState, type StateChecksum } from '../../src/history/state-checksum.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { segmentKey } from '../../src/repository/layout.ts'
import { encodePatch } from '../../src/segment/encode-patch.ts'
import { type CommitEntry, op, type RecordBatch, type SegmentHeader } from '../../src/segment/segment.ts'
import { writeSegment } from '../../src/segment/write-segment.ts'
import { pageHash } from '../../src/util/page-hash.ts'

export interface KnownCommit {
  readonly lsn: Lsn
  readonly time: number
  readonly pages: readonly Uint8Array[]
}

export function stateOf(pages: readonly Uint8Array[]): StateChecksum {
  return pages.reduce((state, page, i) => addHash(state, pageHash(i + 1, page)), emptyState)
}

/** The next commit: some bytes or whole pages change, parts of pages move, the database grows or shrinks. */
export function nextCommit(before: KnownCommit, random: () => number, pageSize: number): KnownCommit {
  const pages = before.pages.map((page) => Uint8Array.from(page))
  const below = (limit: number) => Math.floor(random() * limit)
  if (random() < 0.2 && pages.length > 1) pages.length = 1 + below(pages.length)
  if (random() < 0.3) for (let i = below(4); i >= 0; i -= 1) pages.push(newPage(pageSize, below(2 ** 31)))
  for (let i = below(5); i > 0; i -= 1) {
    const page = pages[below(pages.length)]
    if (page === undefined) continue
    const from = below(pageSize / 2)
    if (random() < 0.2) page.fill(below(256))
    else if (random() < 0.4) page.copyWithin(from + 1 + below(40), from, from + 60 + below(pageSize / 2))
    else page[below(pageSize)] = below(256)
  }
  return { lsn: toLsn(before.lsn + 1), time: before.time + below(3) * 10, pages }
}

/** Bytes that are alike nowhere, so that it shows where they went. */
function newPage(pageSize: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed
  return Uint8Array.from({ length: pageSize }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}

/** What changed: patches where there is something to build on, whole pages elsewhere, as a capture writes them. */
function recordsOf(before: KnownCommit, after: KnownCommit): RecordBatch {
  const changed = after.pages.flatMap((page, i) => {
    const former = before.pages[i]
    if (former !== undefined && Buffer.compare(former, page) === 0) return []
    const patch = former === undefined ? undefined : encodePatch(former, page)
    return [
      { page: i + 1, op: patch === undefined ? op.full : op.patch, value: patch ?? page, hash: pageHash(i + 1, page) },
    ]
  })
  return {
    pages: Uint32Array.from(changed, ({ page }) => page),
    ops: Uint8Array.from(changed, (record) => record.op),
    lengths: Uint32Array.from(changed, ({ value }) => value.length),
    values: new Uint8Array(Buffer.concat(changed.map(({ value }) => value))),
    hashes: BigUint64Array.from(changed, ({ hash }) => hash),
  }
}

/** Stores `commits` after `before` as one segment: as a log, or, for a single commit, as a base or as a delta with patches. */
export async function storeCommits(
  database: DatabaseRepository,
  before: KnownCommit,
  commits: readonly KnownCommit[],
  kind: SegmentKind,
  pageSize: number,
  epoch = 1,
): Promise<SegmentInfo> {
  const last = commits.at(-1) ?? before
  const first = commits[0] ?? last
  const header: SegmentHeader = {
    sourceKind: 'sqlite',
    kind,
    pageSize,
    from: before.lsn,
    epoch,
    firstTime: first.time,
    startState: stateOf(before.pages),
    codec: 'zstd',
    cipher: 'none',
    salt: new Uint8Array(16),
  }
  const entries: CommitEntry[] = []
  async function* batches() {
    let former = before
    for (const commit of commits) {
      const batch = recordsOf(former, commit)
      entries.push({
        lsn: commit.lsn,
        time: commit.time,
        records: batch.pages.length,
        pageCount: commit.pages.length,
        state: stateOf(commit.pages),
      })
      yield batch
      former = commit
    }
  }
  const end = { to: last.lsn, lastTime: last.time, endState: stateOf(last.pages), pageCount: last.pages.length }
  const stream = writeSegment(header, batches(), () => end, { commits: () => entries })
  const range = { kind, from: before.lsn, to: last.lsn, firstTime: first.time, lastTime: last.time, epoch }
  const key = segmentKey(database.name, range)
  await database.storage.put(key, stream)
  return { ...range, key, bytes: stream.totals().storedBytes }
}
