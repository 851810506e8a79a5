/** Which backups can be reached over which segments. */
import { toLsn } from '../history/lsn.ts'
import { planRestore } from '../history/plan.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import type { BackupManifest } from '../repository/manifest.ts'

/** As much of a catalog as can be held for every database of a repository at once. */
export interface CatalogOutline extends Pick<Catalog, 'segments' | 'problems'> {
  readonly backups: readonly BackupOutline[]
}

export type BackupOutline = Pick<BackupManifest, 'id' | 'lsn' | 'segment' | 'parent' | 'checksum'>

export function outlineOf({ segments, problems, backups }: Catalog): CatalogOutline {
  const outline = ({ id, lsn, segment, parent, checksum }: BackupManifest) => ({ id, lsn, segment, parent, checksum })
  return { segments, problems, backups: backups.map(outline) }
}

/** The catalog of one backup and the segments on its way. @throws BACKUP_NOT_FOUND */
export function chainOnly(catalog: Catalog, idOrName: string): Catalog {
  const backup = findBackup(catalog, idOrName)
  try {
    const segments = planRestore(catalog.segments, toLsn(backup.lsn)).steps.map(({ segment }) => segment)
    return { ...catalog, segments, backups: [backup], problems: [] }
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    return { ...catalog, backups: [backup], problems: [] }
  }
}

export function canReach(segments: readonly SegmentInfo[], lsn: number): boolean {
  try {
    planRestore(segments, toLsn(lsn))
    return true
  } catch (error) {
    if (error instanceof UnreachableError) return false
    throw error
  }
}

/** Ids of the backups that cannot be reached any more without these objects. */
export function lostWithout(
  { segments, backups }: Pick<CatalogOutline, 'segments' | 'backups'>,
  objects: ReadonlySet<string>,
): string[] {
  const left = segments.filter(({ key }) => !objects.has(key))
  const gone = left.length < segments.length || backups.some(({ segment }) => segment !== null && objects.has(segment))
  if (!gone) return []
  return backups.flatMap(({ id, lsn }) => (canReach(left, lsn) ? [] : [id]))
}
