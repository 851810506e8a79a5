import { HoldfastError } from '../errors.ts'
import { toLsn } from '../history/lsn.ts'
import { blockType, type RawBlock } from './block-type.ts'
import { malformed } from './damage.ts'
import { maxCommitTableEntries, maxPage } from './limits.ts'
import type { CommitEntry, SegmentEnd, SegmentHeader } from './segment.ts'
import { bytesOfUint64s, uint64sOfBytes } from './uint64.ts'
import { ByteReader, ByteWriter, unzigzag, zigzag } from './varint.ts'

/** What of a segment its commit table must agree with. */
export interface CommitBounds {
  readonly header: SegmentHeader
  readonly end: SegmentEnd
  readonly records: number
}

export function* encodeCommitTable(commits: Iterable<CommitEntry>, bounds: CommitBounds): Generator<RawBlock> {
  let part: CommitEntry[] = []
  const follower = new CommitFollower(bounds)
  for (const commit of commits) {
    const complaint = follower.next(commit)
    if (complaint !== undefined) throw new HoldfastError('INTERNAL', `Cannot write the commit table: ${complaint}.`)
    part.push(commit)
    if (part.length < maxCommitTableEntries) continue
    yield encodePart(part)
    part = []
  }
  const complaint = follower.finish()
  if (complaint !== undefined) throw new HoldfastError('INTERNAL', `Cannot write the commit table: ${complaint}.`)
  if (part.length > 0) yield encodePart(part)
}

function encodePart(part: readonly CommitEntry[]): RawBlock {
  const writer = new ByteWriter(part.length * 16 + 16)
  writer.varint(part.length)
  let [lsn, time, pageCount] = [0, 0, 0]
  for (const commit of part) {
    writer.varint(commit.lsn - lsn)
    writer.varint(zigzag(commit.time - time))
    writer.varint(commit.records)
    writer.varint(zigzag(commit.pageCount - pageCount))
    ;({ lsn, time, pageCount } = commit)
  }
  writer.bytes(bytesOfUint64s(BigUint64Array.from(part, (commit) => commit.state)))
  return { type: blockType.commitTable, count: part.length, firstKey: part[0]?.lsn ?? 0, payload: writer.view() }
}

/** @throws INTEGRITY (without an object) */
export function decodeCommits(payload: Uint8Array, count: number): CommitEntry[] {
  const reader = new ByteReader(payload)
  const stated = reader.varint()
  if (stated !== count || count > maxCommitTableEntries)
    throw malformed(`it lists ${stated} commits instead of ${count}`)
  const commits: Omit<CommitEntry, 'state'>[] = []
  let [lsn, time, pageCount] = [0, 0, 0]
  for (let at = 0; at < count; at++) {
    lsn += reader.varint()
    time += unzigzag(reader.varint())
    const records = reader.varint()
    pageCount += unzigzag(reader.varint())
    if (!Number.isSafeInteger(lsn) || !Number.isSafeInteger(time) || pageCount < 0 || pageCount > maxPage) {
      throw malformed('a commit has impossible numbers')
    }
    commits.push({ lsn: toLsn(lsn), time, records, pageCount })
  }
  if (reader.remaining !== count * 8)
    throw malformed(`it has ${reader.remaining} bytes of states instead of ${count * 8}`)
  const states = uint64sOfBytes(reader.bytes(count * 8))
  return commits.map((commit, at) => ({ ...commit, state: states[at] ?? 0n }))
}

/** Follows a commit table from its first entry to its last, and says what is wrong with it. */
export class CommitFollower {
  readonly #bounds: CommitBounds
  #last: CommitEntry | undefined
  #records = 0

  constructor(bounds: CommitBounds) {
    this.#bounds = bounds
  }

  next(commit: CommitEntry): string | undefined {
    const { header } = this.#bounds
    const last = this.#last
    this.#last = commit
    this.#records += commit.records
    if (commit.lsn <= (last?.lsn ?? header.from)) return `commit ${commit.lsn} comes after ${last?.lsn ?? header.from}`
    if (commit.time < (last?.time ?? header.firstTime)) return `commit ${commit.lsn} is older than what it follows`
    return undefined
  }

  finish(): string | undefined {
    const { header, end, records } = this.#bounds
    const last = this.#last
    if (this.#records !== records) return `its commits have ${this.#records} records and the segment ${records}`
    if (last === undefined) return header.from === end.to ? undefined : 'it has no commits'
    const ends =
      last.lsn === end.to &&
      last.time === end.lastTime &&
      last.state === end.endState &&
      last.pageCount === end.pageCount
    return ends ? undefined : `its last commit, ${last.lsn}, is not the segment's end`
  }
}
