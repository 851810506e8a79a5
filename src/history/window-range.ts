import { type Lsn, toLsn } from './lsn.ts'
import { type LsnRange, reachedSegments } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'

/**
 * The LSNs from the first commit that was seen at or after a moment on, to the end; whole logs, since the times inside of one are not
 * known from its name. If nothing was committed since, the newest state.
 * @param since milliseconds since 1970
 */
export function windowRange(segments: readonly SegmentInfo[], since: number): LsnRange {
  const reached = reachedSegments(segments).map(({ segment, upTo }) => ({ ...segment, to: upTo }))
  const inside = reached.filter(({ lastTime }) => lastTime >= since)
  const newest = reached.reduce((most, { to }) => Math.max(most, to), 0)
  const first = inside.reduce((least, { kind, from, to }) => Math.min(least, kind === 'log' ? from + 1 : to), newest)
  return { first: toLsn(first), last: everAfter }
}

const everAfter: Lsn = toLsn(Number.MAX_SAFE_INTEGER)
