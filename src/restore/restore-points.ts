import type { Lsn } from '../history/lsn.ts'
import { knownPoints } from '../history/reachable.ts'
import { type Gap, restorableWindows, type Window } from '../history/windows.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { OperationOptions } from '../storage/storage.ts'

export interface RestorePoints {
  /** States whose time is known from the catalog, oldest first, with the backups of each. */
  readonly points: readonly { readonly lsn: Lsn; readonly time: number; readonly backups: readonly BackupManifest[] }[]
  readonly windows: readonly Window[]
  /** `gaps[i]` lies between `windows[i]` and `windows[i + 1]`. */
  readonly gaps: readonly Gap[]
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
  const points = knownPoints(segments).filter(({ time }) => time >= from && time <= to)
  const chosen = windows.filter(overlaps)
  const first = windows.findIndex(overlaps)
  return {
    points: points.map(({ lsn, time }) => ({
      lsn,
      time,
      backups: catalog.backups.filter((backup) => backup.lsn === lsn),
    })),
    windows: chosen,
    gaps: chosen.length < 2 ? [] : gaps.slice(first, first + chosen.length - 1),
  }
}
