import { type Lsn, toLsn } from '../history/lsn.ts'
import type { Pause } from '../history/pause.ts'
import { isReachable, knownPoints, type RestorePoint, reachableLsns } from '../history/reachable.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { type Gap, restorableWindows, type Window } from '../history/windows.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { OperationOptions } from '../storage/storage.ts'

export interface RestorePoints {
  /** The states that have a backup, and single states outside continuous windows, oldest first. */
  readonly points: readonly RestorablePoint[]
  readonly windows: readonly Window[]
  /** Between the windows, ascending; also those that only reach into the range. */
  readonly gaps: readonly Gap[]
  /**
   * Inside the windows, ascending: every commit can be restored by its LSN, but a time in between names no state, since nobody looked then.
   * Also those that only reach into the range.
   */
  readonly pauses: readonly Pause[]
}

export interface RestorablePoint {
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
  readonly backups: readonly BackupManifest[]
}

export interface PointRange extends OperationOptions {
  /** Milliseconds since 1970, both inclusive; default: everything. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** What can be restored, from names and manifests alone; whether every byte is sound is for `verify` to say. */
export async function listRestorePoints(database: DatabaseRepository, range: PointRange = {}): Promise<RestorePoints> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range
  const catalog = await database.catalog({ signal: range.signal })
  const overlaps = ({ fromTime, toTime }: { fromTime: number; toTime: number }) => fromTime <= to && toTime >= from
  const segments = acknowledgedSegments(catalog)
  const { windows, gaps } = restorableWindows(segments, catalog.gaps)
  const backups = Map.groupBy(catalog.backups, ({ lsn }) => lsn)
  const single = new Set(windows.flatMap(({ kind, fromLsn }) => (kind === 'point' ? [fromLsn] : [])))
  const points = [...knownPoints(segments), ...withinLogs(segments, catalog.backups)]
    .filter(({ lsn, time }) => time >= from && time <= to && (backups.has(lsn) || single.has(lsn)))
    .map(({ lsn, time }) => ({ lsn, time, backups: backups.get(lsn) ?? [] }))
    .sort((a, b) => a.lsn - b.lsn || a.time - b.time)
  return {
    points,
    windows: windows.filter(overlaps),
    gaps: gaps.filter(overlaps),
    pauses: catalog.pauses.filter(overlaps),
  }
}

/** Once logs are merged, the state of a backup may lie inside one, and no segment's name tells of it any more. */
function withinLogs(segments: readonly SegmentInfo[], backups: readonly BackupManifest[]): RestorePoint[] {
  const named = new Set<number>(knownPoints(segments).map(({ lsn }) => lsn))
  const reachable = reachableLsns(segments)
  const inside = new Map(backups.map(({ lsn, capturedAt }) => [toLsn(lsn), Date.parse(capturedAt)] as const))
  return [...inside].flatMap(([lsn, time]) => (named.has(lsn) || !isReachable(reachable, lsn) ? [] : [{ lsn, time }]))
}
