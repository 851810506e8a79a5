import type { Lsn } from './lsn.ts'
import { isReachable, type LsnRange, reachableLsns } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'
import { UnreachableError } from './unreachable-error.ts'
import { usableSegments } from './usable-segments.ts'

/**
 * The bases and deltas that can be deleted together, since no chain to anything kept can use them: neither to a kept LSN nor to any LSN
 * of a protected range. Alternatives to the cheapest chain therefore stay. Never among them: logs, whose
 * every commit is a restore point of its own, and void segments, which the takeover that made them void has to clear away.
 * @throws UnreachableError if a kept LSN cannot be reached as it is: something is missing, so nothing may be deleted
 */
export function unneededSegments(
  segments: readonly SegmentInfo[],
  keptLsns: Iterable<Lsn>,
  protectedRanges: readonly LsnRange[] = [],
): SegmentInfo[] {
  const kept = [...new Set(keptLsns)].sort((a, b) => a - b)
  const reachable = reachableLsns(segments)
  for (const lsn of kept) if (lsn !== 0 && !isReachable(reachable, lsn)) throw new UnreachableError(lsn, segments)
  return leadingNowhere(segments, kept, protectedRanges)
}

/** Bases and deltas from whose end no chain leads to a wanted LSN. One sweep backwards over their starts: all lead forward. */
function leadingNowhere(
  segments: readonly SegmentInfo[],
  kept: readonly Lsn[],
  ranges: readonly LsnRange[],
): SegmentInfo[] {
  const wanted = [
    ...kept.map((lsn) => ({ first: lsn, last: lsn })),
    ...ranges.filter(({ first, last }) => first <= last),
  ]
  wanted.sort((a, b) => b.first - a.first)
  const useful = new Set<number>()
  const unneeded: SegmentInfo[] = []
  /** The smallest start of a useful segment after the present one, and the smallest wanted LSN after it. */
  let nextUseful = Number.POSITIVE_INFINITY
  let nextWanted = Number.POSITIVE_INFINITY
  let passed = 0
  const isWanted = rangeLookup(wanted)
  const descending = usableSegments(segments).reverse()
  for (let i = 0; i < descending.length; ) {
    const at = descending[i]?.segment.from ?? 0
    for (let range = wanted[passed]; range !== undefined && range.first > at; range = wanted[++passed])
      nextWanted = range.first
    const next = isWanted(at + 1) ? at + 1 : Math.min(nextUseful, nextWanted)
    let leads = false
    for (; descending[i]?.segment.from === at; i++) {
      const usable = descending[i]
      if (usable === undefined) break
      const { segment, upTo } = usable
      const isUseful = segment.kind === 'log' ? next <= upTo : useful.has(upTo) || isWanted(upTo)
      if (isUseful) leads = true
      else if (segment.kind !== 'log') unneeded.push(segment)
    }
    if (leads) {
      useful.add(at)
      nextUseful = at
    }
  }
  return unneeded.reverse()
}

/** @param ranges descending by `first`, none empty; they may overlap */
function rangeLookup(ranges: readonly LsnRange[]): (lsn: number) => boolean {
  const joined: { first: number; last: number }[] = []
  for (const { first, last } of ranges.toReversed()) {
    const previous = joined.at(-1)
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last)
    else joined.push({ first, last })
  }
  return (lsn) => {
    let low = 0
    let high = joined.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((joined[middle]?.last ?? 0) < lsn) low = middle + 1
      else high = middle
    }
    const range = joined[low]
    return range !== undefined && range.first <= lsn
  }
}
