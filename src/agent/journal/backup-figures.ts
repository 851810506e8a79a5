import type { BackupManifest } from '../../repository/manifest.ts'

/** What the history tells of a backup in figures, from its manifest. */
export function backupFigures({ lsn, databaseBytes, pages, rawBytes, storedBytes }: BackupManifest) {
  return { lsn, databaseBytes, pages, rawBytes, storedBytes }
}
