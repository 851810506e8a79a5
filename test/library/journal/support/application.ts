import { auditLog, BackupManager, type BackupManagerOptions, operationHistory, sqlite } from '../../../../src/index.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { makeDatabase } from '../../make-database.ts'

/** A database, and a journal that nothing else writes. */
export function application() {
  const folder = temporaryFolder()
  const path = folder.file('app.db')
  makeDatabase(path, 5)
  const journal = folder.file('state/journal.db')
  const options = { source: sqlite(path), repository: folder.file('backups'), init: true, journal }
  return {
    folder,
    path,
    journal,
    repository: options.repository,
    url: `file://${options.repository}`,
    open: (more: Pick<Partial<BackupManagerOptions>, 'journal' | 'repository'> = {}) =>
      BackupManager.open({ ...options, ...more }),
    history: () => operationHistory({ journal }),
    audit: () => auditLog({ journal }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}
