import { deletionOrder } from './deletion-order.ts'
import type { Lsn } from './lsn.ts'
import { isReachable, type LsnRange, reachableLsns } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'

export interface StatesThatStay {
  /** Of the backups that stay. */
  readonly lsns: readonly Lsn[]
  /** All of these. */
  readonly ranges: readonly LsnRange[]
}

/**
 * Those of `candidates` that can go without making any state unreachable that is to stay, in the order in which to delete them;
 * undefined if such a state cannot be reached as it is: then something is wrong, and nothing may go.
 * @param segments everything that is there, the candidates among it
 */
export function removableSegments(
  segments: readonly SegmentInfo[],
  candidates: readonly SegmentInfo[],
  stay: StatesThatStay,
): SegmentInfo[] | undefined {
  const isWhole = (going: ReadonlySet<string>) => holds(reachableWithout(segments, going), stay)
  const going = new Set<string>()
  if (!isWhole(going)) return undefined
  /** Mostly all of them can go at once; where not, halves are tried. */
  const tryAll = (some: readonly SegmentInfo[]): void => {
    if (some.length === 0) return
    for (const { key } of some) going.add(key)
    if (isWhole(going)) return
    for (const { key } of some) going.delete(key)
    if (some.length === 1) return
    const middle = some.length >>> 1
    tryAll(some.slice(middle))
    tryAll(some.slice(0, middle))
  }
  // What builds on others goes before them.
  tryAll(candidates.toSorted((a, b) => a.from - b.from || a.to - b.to))
  const accepted = candidates.filter(({ key }) => going.has(key))
  const ordered = deletionOrder(segments, accepted)
  return isWhole(new Set(ordered.map(({ key }) => key))) ? ordered : []
}

function reachableWithout(segments: readonly SegmentInfo[], going: ReadonlySet<string>): LsnRange[] {
  return reachableLsns(going.size === 0 ? segments : segments.filter(({ key }) => !going.has(key)))
}

function holds(reachable: readonly LsnRange[], { lsns, ranges }: StatesThatStay): boolean {
  const isWithin = ({ first, last }: LsnRange) => reachable.some((range) => range.first <= first && range.last >= last)
  return lsns.every((lsn) => isReachable(reachable, lsn)) && ranges.every(isWithin)
}
