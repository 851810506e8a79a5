/** A random little database, commit by commit, and the segments that could be stored of it. */
import fc from 'fast-check'
import { foldPages, type PageStep } from '../../../src/history/fold-pages.ts'
import type { Lsn } from '../../../src/history/lsn.ts'
import type { HistoryRecord } from '../../../src/history/record.ts'
import type { SegmentInfo } from '../../../src/history/segment-info.ts'
import { addHash, emptyState, type StateChecksum } from '../../../src/history/state-checksum.ts'
import { xor } from '../../../src/history/xor.ts'

export const pageBytes = 16
export const maxPages = 6

/** Pages in order, from page 1 on. */
export type State = readonly Uint8Array[]

export interface PageHistory {
  /** `states[lsn]`; `states[0]` is empty. */
  readonly states: readonly State[]
  /** `commits[lsn - 1]` leads from `states[lsn - 1]` to `states[lsn]`. */
  readonly commits: readonly PageStep[]
}

interface AnyCommit {
  readonly pageCount: number
  readonly writes: readonly Write[]
}

interface Write {
  readonly page: number
  readonly value: Uint8Array
  readonly asPatch: boolean
  /** If it is a patch, its bytes are made from the former ones that far from them, as in a ring; 0: where they are. */
  readonly turn: number
}

const anyValue = fc.uint8Array({ minLength: pageBytes, maxLength: pageBytes })
const anyPage = fc.integer({ min: 1, max: maxPages })

const anyCommit: fc.Arbitrary<AnyCommit> = fc.record({
  pageCount: fc.integer({ min: 0, max: maxPages }),
  writes: fc.array(fc.record({ page: anyPage, value: anyValue, asPatch: fc.boolean(), turn: fc.nat(pageBytes - 1) }), {
    maxLength: 4,
  }),
})

export function anyPageHistory(
  options: { minLength: number; maxLength: number },
  start: State = [],
): fc.Arbitrary<PageHistory> {
  return fc.array(anyCommit, options).map((commits) => {
    const states: State[] = [start]
    const steps = commits.map((commit) => {
      const { state, step } = apply(states.at(-1) ?? [], commit)
      states.push(state)
      return step
    })
    return { states, commits: steps }
  })
}

function apply(before: State, { pageCount, writes }: AnyCommit): { state: State; step: PageStep } {
  const state = before.slice(0, pageCount)
  const records = new Map<number, HistoryRecord>()
  for (let page = state.length + 1; page <= pageCount; page++) {
    const value = new Uint8Array(pageBytes).fill(page)
    state.push(value)
    records.set(page, { op: 'full', value })
  }
  for (const { page, value, asPatch, turn } of writes) {
    const former = before[page - 1]
    // Also beyond the page count, as the spilled frames of a transaction that shrinks the database may be.
    const patch = asPatch && former !== undefined && page <= pageCount
    records.set(page, patch ? patchOf(former, value, turn) : { op: 'full', value })
    if (page <= pageCount) state[page - 1] = value
  }
  return { state, step: { pageCount, records } }
}

function patchOf(former: Uint8Array, value: Uint8Array, turn: number): HistoryRecord {
  if (turn === 0) return { op: 'patch', xor: xor(former, value) }
  const sources = Uint32Array.from(former, (_, i) => (i + turn) % pageBytes)
  return { op: 'patch', xor: value.map((byte, i) => byte ^ (former[sources[i] ?? 0] ?? 0)), sources }
}

/** What a one-shot incremental backup stores: the pages that differ, as patches where that is possible and wanted. */
export function difference(before: State, after: State, asPatch: boolean): PageStep {
  const records = new Map<number, HistoryRecord>()
  for (const [i, value] of after.entries()) {
    const former = before[i]
    if (former !== undefined && Buffer.compare(former, value) === 0) continue
    records.set(
      i + 1,
      former !== undefined && asPatch ? { op: 'patch', xor: xor(former, value) } : { op: 'full', value },
    )
  }
  return { pageCount: after.length, records }
}

/** The records that a segment of this history holds: of a log commit by commit, else composed. Made in one of three ways. */
export function contents(
  { states, commits }: PageHistory,
  { kind, from, to, bytes }: SegmentInfo,
  upTo: Lsn = to,
): PageStep[] {
  const run = commits.slice(from, upTo)
  const start = states[from] ?? []
  if (kind === 'log') return run
  const isMerged = bytes % 3 === 0
  return [
    isMerged ? foldPages(run, { startPageCount: start.length }) : difference(start, states[to] ?? [], bytes % 3 === 1),
  ]
}

export function stateOf({ pageCount, records }: PageStep): State {
  return Array.from({ length: pageCount }, (_, i) => {
    const record = records.get(i + 1)
    if (record?.op !== 'full') throw new Error(`Page ${i + 1} of ${pageCount} has no content.`)
    return record.value
  })
}

export function checksum(state: State): StateChecksum {
  return state.reduce((sum, value, i) => addHash(sum, toyHash(i + 1, value)), emptyState)
}

export function toyHash(page: number, value: Uint8Array): bigint {
  return value.reduce(
    (hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n),
    BigInt(page) + 0xcbf29ce484222325n,
  )
}
