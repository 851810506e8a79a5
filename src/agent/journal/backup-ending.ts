import type { BackupResult } from '../../backup/backup-options.ts'
import { backupFigures } from './backup-figures.ts'
import type { Ending } from './ending.ts'

/** How a backup is recorded. */
export function backupEnding({
  metadata,
  warnings,
  writersBlockedMs,
}: Pick<BackupResult, 'metadata' | 'warnings' | 'writersBlockedMs'>): Ending {
  const { id, database, type } = metadata
  return { database, type, backupId: id, figures: { ...backupFigures(metadata), writersBlockedMs }, warnings }
}
