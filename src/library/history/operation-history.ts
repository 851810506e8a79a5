import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import type { EngineSettings } from '../../backup/manager-options.ts'
import { linkStorage } from '../../engine/storage-link.ts'
import type { BackupStorage } from '../../storage/storage.ts'
import { takeJournal } from '../journal/shared-journal.ts'
import { type HistoryQuery, historyOf } from './history-of.ts'

export interface OperationHistoryOptions extends HistoryQuery {
  /** A path or URL, or a storage of your own; default: all repositories. */
  readonly repository?: string | BackupStorage | undefined
  /** Path of the journal; default: the user's, in the state folder. */
  readonly journal?: string | undefined
  /** The process that reads it. */
  readonly engine?: EngineSettings | undefined
}

/**
 * What was done on this machine by this user, by whichever program, oldest first; and, of one repository, also what that tells of others.
 * Nothing is made where there is no journal yet.
 * @throws USAGE, REPOSITORY_NOT_FOUND, ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW, ENGINE_DIED, STORAGE_*, ABORTED
 * @example
 * import { operationHistory } from 'holdfast'
 * for (const { kind, database, outcome, startedAt } of await operationHistory({ repository: './backups', limit: 20 }))
 *   console.log(new Date(startedAt), kind, database, outcome)
 */
export async function operationHistory(options: OperationHistoryOptions = {}): Promise<RecordedOperation[]> {
  const { repository, journal, engine, ...query } = options
  await using taken = takeJournal(journal, engine?.execPath)
  if (repository === undefined) return await historyOf(taken.journal, undefined, query)
  await using link = await linkStorage(repository)
  return await historyOf(taken.journal, link.storage, query)
}
