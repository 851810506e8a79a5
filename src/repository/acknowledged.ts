import type { SegmentInfo } from '../history/segment-info.ts'
import type { Catalog } from './catalog.ts'
import { backupsPrefix } from './layout.ts'

/**
 * The segments whose end somebody was promised: by a manifest, or, where logs begin, by what was captured from there on. A backup
 * that was interrupted before its manifest leaves a base or delta that is neither; nobody knows whether its state passed the
 * checks, so it must not pass for the newest one. While a manifest cannot be read, every segment may be that one's, and counts.
 */
export function acknowledgedSegments({ database, segments, backups, problems }: Catalog): readonly SegmentInfo[] {
  if (problems.some(({ key }) => key.startsWith(backupsPrefix(database)))) return segments
  const promised = new Set<number>(backups.map(({ lsn }) => lsn))
  for (const { kind, from } of segments) if (kind === 'log') promised.add(from)
  return segments.filter(({ kind, to }) => kind === 'log' || promised.has(to))
}

/** Said when an older state is taken for the newest: what lies beyond it is a leftover, or a backup whose manifest was lost. */
export function unacknowledgedWarning(catalog: Catalog, after: number): string | undefined {
  const known = new Set(acknowledgedSegments(catalog))
  const newer = catalog.segments.find((segment) => !known.has(segment) && segment.to > after)
  if (newer === undefined) return undefined
  const time = new Date(newer.lastTime).toISOString()
  return `The repository also holds a state of ${time} (LSN ${newer.to}) that no backup names: left by a backup that was interrupted, or its manifest was lost. It can be restored by its LSN.`
}
