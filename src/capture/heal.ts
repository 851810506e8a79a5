/**
 * Begins anew from the database's present state: stores what differs from the newest state that is kept, by page hashes, and
 * only where nothing can be built on, everything. The gap is recorded before the segment that ends it.
 */
import { randomBytes } from 'node:crypto'
import { readBack, storeSegment } from '../backup/store-segment.ts'
import type { Lsn } from '../history/lsn.ts'
import { zeroLsn } from '../history/lsn.ts'
import { addHash, emptyState } from '../history/state-checksum.ts'
import type { GapRecord } from '../history/windows.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Lease } from '../repository/lease.ts'
import { fullBatch } from '../segment/full-batch.ts'
import type { RecordBatch, SegmentHeader } from '../segment/segment.ts'
import type { FollowPosition, FollowStart } from '../source/follower.ts'
import type { PageBatch } from '../source/page-batch.ts'
import { lockPage } from '../util/page-hash.ts'
import { type GapReason, gapReasons } from './gap-reasons.ts'
import type { KnownHistory } from './history-end.ts'
import { PageHashTable } from './page-hash-table.ts'
import { OpenSegment, type OpenSegmentPlace } from './spool/open-segment.ts'
import type { SpoolItem } from './spool/spool-item.ts'

export type StartAnew = Extract<FollowStart, { kind: 'anew' }>

export interface HealContext {
  /** Where the follower stands, once it has begun. */
  readonly position: () => FollowPosition
  readonly place: OpenSegmentPlace
  readonly database: DatabaseRepository
  /** The number of the next state, higher than all that are taken. */
  readonly next: Lsn
  /** What there is at all, even if it cannot be built on. */
  readonly highest: { readonly lsn: Lsn; readonly time: number }
  readonly reason: GapReason
  /** Store a delta even if nothing changed, since the number after the newest state is taken. */
  readonly renumber: boolean
  /** Store a delta even if nothing changed, since commits are missing that may have undone one another. */
  readonly missed: boolean
  /** Of what goes to the spool. */
  readonly epoch: number
  readonly codec: SegmentHeader['codec']
  readonly level: number | undefined
  readonly signal: AbortSignal | undefined
  /** Resolves when all that waits in the spool is in the repository, or was lost, with the newest state that is there then. */
  readonly settled: () => Promise<{ readonly lsn: Lsn; readonly time: number }>
  /** Publishes something in the repository; the signal fires with `signal`, and when the lease is lost. */
  readonly underLease: <T>(work: (lease: Lease, epoch: number, signal: AbortSignal) => Promise<T>) => Promise<T>
  /** The next number may be taken from now on, even if healing fails. */
  readonly onTaken: () => void
}

export type Healed = { readonly known: KnownHistory; readonly gap: GapRecord | undefined } & (
  | { readonly kind: 'unchanged' }
  /** Waits in the spool. */
  | { readonly kind: 'delta'; readonly item: SpoolItem }
  /** In the repository already. */
  | { readonly kind: 'base' }
)

export async function heal(start: StartAnew, known: KnownHistory | undefined, context: HealContext): Promise<Healed> {
  if (known === undefined || known.pageSize !== start.pageSize) return await storeBase(start, context)
  return await storeDelta(start, known, context)
}

async function storeDelta(start: StartAnew, known: KnownHistory, context: HealContext): Promise<Healed> {
  const { place, next, signal } = context
  const time = Math.max(start.capturedAt, known.end.time)
  const header = headerOf(start, context, { kind: 'delta', from: known.end.lsn, startState: known.end.state, time })
  const hashing = new Hashing(start.pageCount)
  let segment: OpenSegment | undefined
  try {
    for await (const batch of start.pages({ signal })) {
      hashing.add(batch)
      const changed = differing(batch, known.table, start.pageSize)
      if (changed === undefined) continue
      segment ??= new OpenSegment(place, header)
      await segment.add(changed)
    }
    await start.begin(hashing.hashes)
    const end = { lsn: next, time, state: hashing.state, pageCount: start.pageCount }
    const table = new PageHashTable(hashing.hashes.slice())
    const isSame = segment === undefined && start.pageCount === known.end.pageCount
    if (isSame && !context.renumber && !context.missed)
      return { kind: 'unchanged', known: { end: known.end, pageSize: start.pageSize, table }, gap: undefined }
    segment ??= new OpenSegment(place, header)
    const gap = gapTo(context, { lsn: known.end.lsn, time: known.end.time }, time)
    const segmentEnd = { to: next, lastTime: time, endState: end.state, pageCount: end.pageCount }
    const item = await segment.finish(segmentEnd, [], { position: context.position(), gap })
    return { kind: 'delta', item, known: { end, pageSize: start.pageSize, table }, gap }
  } catch (thrown) {
    await segment?.discard()
    throw thrown
  }
}

async function storeBase(start: StartAnew, context: HealContext): Promise<Healed> {
  const { next, highest } = context
  const kept = await context.settled()
  const time = Math.max(start.capturedAt, highest.time)
  const first = context.reason === 'first-state'
  const gap = first
    ? { fromLsn: zeroLsn, toLsn: next, fromTime: time, toTime: time, reason: gapReasons['first-state'] }
    : gapTo(context, kept, time)
  const hashing = await context.underLease((...held) => publishBase(start, { ...context, gap, time }, ...held))
  const known = {
    end: { lsn: next, time, state: hashing.state, pageCount: start.pageCount },
    pageSize: start.pageSize,
    table: new PageHashTable(hashing.hashes.slice()),
  }
  return { kind: 'base', known, gap: first ? undefined : gap }
}

async function publishBase(
  start: StartAnew,
  context: HealContext & { readonly gap: GapRecord; readonly time: number },
  lease: Lease,
  epoch: number,
  signal: AbortSignal,
): Promise<Hashing> {
  const { database, gap, time, next, level } = context
  context.onTaken()
  await database.putGap(gap, { signal })
  const hashing = new Hashing(start.pageCount)
  async function* records(): AsyncGenerator<RecordBatch> {
    for await (const batch of start.pages({ signal })) {
      hashing.add(batch)
      yield fullBatch(
        { pages: batch.pages.slice(), hashes: batch.hashes.slice(), values: batch.values.slice() },
        start.pageSize,
      )
    }
    // Much time may have passed; with its last bytes the segment is published.
    await lease.confirm()
  }
  const of = { kind: 'base', from: zeroLsn, startState: emptyState, time } as const
  const header = headerOf(start, { ...context, epoch }, of)
  const range = { to: next, lastTime: time }
  const end = () => ({ ...range, endState: hashing.state, pageCount: start.pageCount })
  const stored = await storeSegment(database, header, range, records(), end, { level, signal, onStored: () => {} })
  // The database is let go before the segment is read back; nothing builds on it until then.
  await start.begin(hashing.hashes)
  await readBack(database, stored, { signal, onRead: () => {} })
  return hashing
}

function gapTo(context: HealContext, from: { readonly lsn: Lsn; readonly time: number }, toTime: number): GapRecord {
  return { fromLsn: from.lsn, toLsn: context.next, fromTime: from.time, toTime, reason: gapReasons[context.reason] }
}

function headerOf(
  { pageSize }: StartAnew,
  { epoch, codec }: HealContext,
  { time, ...of }: Pick<SegmentHeader, 'kind' | 'from' | 'startState'> & { readonly time: number },
): SegmentHeader {
  return { ...of, sourceKind: 'sqlite', pageSize, epoch, firstTime: time, codec, cipher: 'none', salt: randomBytes(16) }
}

/** Collects the hash of every page of a state, entry `page - 1`; the lock page's stays 0. */
class Hashing {
  readonly hashes: BigUint64Array
  state = emptyState

  constructor(pageCount: number) {
    this.hashes = new BigUint64Array(pageCount)
  }

  add({ pages, hashes }: PageBatch): void {
    pages.forEach((page, at) => {
      const hash = hashes[at] ?? 0n
      this.hashes[page - 1] = hash
      this.state = addHash(this.state, hash)
    })
  }
}

/** The pages of a batch that are not as the table says, copied; undefined if there are none. */
function differing(batch: PageBatch, table: PageHashTable, pageSize: number): RecordBatch | undefined {
  const lock = lockPage(pageSize)
  const kept: number[] = []
  batch.pages.forEach((page, at) => {
    if (page !== lock && table.get(page) !== batch.hashes[at]) kept.push(at)
  })
  if (kept.length === 0) return undefined
  const values = new Uint8Array(kept.length * pageSize)
  for (const [to, from] of kept.entries())
    values.set(batch.values.subarray(from * pageSize, (from + 1) * pageSize), to * pageSize)
  const pages = Uint32Array.from(kept, (at) => batch.pages[at] ?? 0)
  const hashes = BigUint64Array.from(kept, (at) => batch.hashes[at] ?? 0n)
  return fullBatch({ pages, hashes, values }, pageSize)
}
