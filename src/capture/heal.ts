/**
 * Begins anew from the database's present state: stores what differs from the newest state that is kept, by page hashes, and
 * only where nothing can be built on, everything.
 */
import { hasCode, toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import { zeroLsn } from '../history/lsn.ts'
import { emptyState } from '../history/state-checksum.ts'
import type { GapRecord } from '../history/windows.ts'
import { fullBatch } from '../segment/full-batch.ts'
import { differingPages } from './differing-pages.ts'
import { gapReasons } from './gap-reasons.ts'
import type { HealContext, StartAnew } from './heal-context.ts'
import type { KnownHistory } from './history-end.ts'
import { PageHashTable } from './page-hash-table.ts'
import { headerOf, type PublishedState, publishState } from './publish-state.ts'
import { OpenSegment } from './spool/open-segment.ts'
import type { SpoolItem } from './spool/spool-item.ts'
import { StateHashing } from './state-hashing.ts'

export type Healed = { readonly known: KnownHistory; readonly gap: GapRecord | undefined } & (
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'spooled'; readonly item: SpoolItem }
  /** In the repository already. */
  | { readonly kind: 'published'; readonly segment: PublishedState['segment'] }
)

export async function heal(start: StartAnew, known: KnownHistory | undefined, context: HealContext): Promise<Healed> {
  if (known === undefined || known.pageSize !== start.pageSize) return await storeBase(start, context)
  return (await spoolDelta(start, known, context)) ?? (await publishDelta(start, known, context))
}

/** Undefined if the spool has no room for it, and it can go straight to the repository. The gap waits in the spool with it. */
async function spoolDelta(start: StartAnew, known: KnownHistory, context: HealContext): Promise<Healed | undefined> {
  const { place, next, epoch, signal } = context
  const time = Math.max(start.capturedAt, known.end.time)
  const of = { kind: 'delta', from: known.end.lsn, startState: known.end.state, time, epoch } as const
  const header = headerOf(start, context, of)
  const hashing = new StateHashing(start.pageCount)
  let segment: OpenSegment | undefined
  let hasBegun = false
  try {
    for await (const batch of start.pages({ signal })) {
      hashing.add(batch)
      const changed = differingPages(batch, known.table, start.pageSize)
      if (changed === undefined) continue
      segment ??= new OpenSegment(place, header)
      await segment.add(changed)
    }
    const isSame = segment === undefined && start.pageCount === known.end.pageCount
    if (isSame && !context.renumber && !context.missed) {
      await start.begin(hashing.hashes)
      return { kind: 'unchanged', known: { ...stateAfter(start, hashing, known.end), end: known.end }, gap: undefined }
    }
    segment ??= new OpenSegment(place, header)
    const end = { to: next, lastTime: time, endState: hashing.state, pageCount: start.pageCount }
    // The pages can be had again only until following begins.
    await segment.complete(end, [])
    await start.begin(hashing.hashes)
    hasBegun = true
    const gap = gapTo(context, known.end, time)
    const item = await segment.finish(end, [], { position: context.position(), gap, pause: undefined })
    return { kind: 'spooled', item, known: stateAfter(start, hashing, { lsn: next, time }), gap }
  } catch (thrown) {
    await segment?.discard()
    if (hasBegun || segment === undefined || !hasCode(toHoldfastError(thrown), 'DISK_FULL') || !context.mayPassSpool())
      throw thrown
    return undefined
  }
}

/** The gap is recorded last: until then the delta is a leftover that nobody builds on, and no state is doubted in vain. */
async function publishDelta(start: StartAnew, known: KnownHistory, context: HealContext): Promise<Healed> {
  const { next, database } = context
  const time = Math.max(start.capturedAt, known.end.time)
  const gap = gapTo(context, known.end, time)
  const { hashing, segment } = await context.underLease(async (lease, epoch, signal) => {
    const published = await publishState(start, context, {
      ...{ kind: 'delta', from: known.end.lsn, startState: known.end.state, time, epoch, lease, signal },
      records: (batch) => differingPages(batch, known.table, start.pageSize),
    })
    await database.putGap(gap, { signal })
    return published
  })
  return { kind: 'published', segment, known: stateAfter(start, hashing, { lsn: next, time }), gap }
}

/** The gap is recorded before the base that ends it. */
async function storeBase(start: StartAnew, context: HealContext): Promise<Healed> {
  const { next, highest, database } = context
  const kept = await context.settled()
  const time = Math.max(start.capturedAt, highest.time)
  const first = context.reason === 'first-state'
  const gap = first
    ? { fromLsn: zeroLsn, toLsn: next, fromTime: time, toTime: time, reason: gapReasons['first-state'] }
    : gapTo(context, kept, time)
  const { hashing, segment } = await context.underLease(async (lease, epoch, signal) => {
    context.onTaken()
    await database.putGap(gap, { signal })
    return await publishState(start, context, {
      ...{ kind: 'base', from: zeroLsn, startState: emptyState, time, epoch, lease, signal },
      records: ({ pages, hashes, values }) =>
        fullBatch({ pages: pages.slice(), hashes: hashes.slice(), values: values.slice() }, start.pageSize),
    })
  })
  const known = stateAfter(start, hashing, { lsn: next, time })
  return { kind: 'published', segment, known, gap: first ? undefined : gap }
}

function stateAfter(
  { pageSize, pageCount }: StartAnew,
  { state, hashes }: StateHashing,
  { lsn, time }: { readonly lsn: Lsn; readonly time: number },
): KnownHistory {
  return { end: { lsn, time, state, pageCount }, pageSize, table: new PageHashTable(hashes.slice()) }
}

function gapTo(context: HealContext, from: { readonly lsn: Lsn; readonly time: number }, toTime: number): GapRecord {
  return { fromLsn: from.lsn, toLsn: context.next, fromTime: from.time, toTime, reason: gapReasons[context.reason] }
}
