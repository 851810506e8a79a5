import { HoldfastError, hasCode } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { manifestKey } from '../repository/layout.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { discardSegment } from './store-segment.ts'

/**
 * The commit point: writes the manifest of a stored segment, after what must come before it. If that fails, and it is certain that
 * no manifest was or will be written, the segment is taken back: on a full disk above all, it must not stay in the way.
 */
export async function commitBackup(
  database: DatabaseRepository,
  manifest: BackupManifest,
  before: () => Promise<void>,
): Promise<void> {
  let attempted = false
  try {
    await before()
    attempted = true
    await database.putManifest(manifest)
  } catch (error) {
    const { segment } = manifest
    if (segment !== null && (!attempted || (await wasRefused(database, manifest, error))))
      await discardSegment(database, segment)
    throw error
  }
}

/** After any other failure the manifest may be there, or still appear: then the segment must stay. */
async function wasRefused(database: DatabaseRepository, manifest: BackupManifest, error: unknown): Promise<boolean> {
  if (!hasCode(error, 'DISK_FULL', 'STORAGE_DENIED')) return false
  try {
    return (await database.storage.head(manifestKey(database.name, manifest))) === undefined
  } catch (unanswered) {
    if (!(unanswered instanceof HoldfastError)) throw unanswered
    return false
  }
}
