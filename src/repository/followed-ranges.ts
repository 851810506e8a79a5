import { toLsn } from '../history/lsn.ts'
import { type LsnRange, reachedSegments } from '../history/reachable.ts'
import type { Catalog } from './catalog.ts'

/**
 * What following a database promised beside its backups: the commits of every log, the states at which logs begin, and the far sides of
 * gaps. They are no backup's, so they go only as retention says, whichever backups are deleted.
 */
export function followedRanges({ segments, gaps }: Catalog): LsnRange[] {
  const logs = reachedSegments(segments).flatMap(({ segment: { kind, from }, upTo }) =>
    kind === 'log' ? [{ first: toLsn(Math.max(1, from)), last: upTo }] : [],
  )
  return [...logs, ...gaps.map(({ toLsn: lsn }) => ({ first: lsn, last: lsn }))]
}
