import type { SegmentInfo } from '../history/segment-info.ts'
import { formatTime } from '../util/format-time.ts'
import type { Catalog } from './catalog.ts'
import { backupsPrefix } from './layout.ts'

/**
 * The segments that somebody was promised: they lead to a manifest's state, to a log, or to the far side of a recorded gap. A backup
 * that was interrupted before its manifest leaves a base or delta that leads nowhere; nobody knows whether its state passed the
 * checks, so it must not pass for the newest one. While a manifest cannot be read, every segment may be that one's, and counts.
 */
export function acknowledgedSegments({ database, segments, backups, gaps, problems }: Catalog): readonly SegmentInfo[] {
  if (problems.some(({ key }) => key.startsWith(backupsPrefix(database)))) return segments
  const promised = new Set<number>([...backups.map(({ lsn }) => lsn), ...gaps.map(({ toLsn }) => toLsn)])
  const acknowledged = new Set<SegmentInfo>()
  for (const segment of segments.toSorted((a, b) => b.to - a.to)) {
    if (segment.kind !== 'log' && !promised.has(segment.to)) continue
    acknowledged.add(segment)
    promised.add(segment.from)
  }
  return segments.filter((segment) => acknowledged.has(segment))
}

/** Said when an older state is taken for the newest: what lies beyond it is a leftover, or a backup whose manifest was lost. */
export function unacknowledgedWarning(catalog: Catalog, after: number): string | undefined {
  const known = new Set(acknowledgedSegments(catalog))
  const newer = catalog.segments.find((segment) => !known.has(segment) && segment.to > after)
  if (newer === undefined) return undefined
  const time = formatTime(newer.lastTime)
  return `The repository also holds a state of ${time} (LSN ${newer.to}) that no backup names: left by a backup that was interrupted, or its manifest was lost. It can be restored by its LSN.`
}
