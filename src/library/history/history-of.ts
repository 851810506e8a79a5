import { basename } from 'node:path'
import { z } from 'zod'
import type { OperationTrigger } from '../../agent/journal/operation.ts'
import {
  type OperationKind,
  operationKinds,
  operationOutcomes,
  operationTriggers,
} from '../../agent/journal/operation.ts'
import { rebuildJournal } from '../../agent/journal/rebuild.ts'
import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import { parseOptions } from '../../engine/parse-options.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import { openKnown } from '../../repository/known-places.ts'
import { databaseNameFrom } from '../../repository/layout.ts'
import type { Moment } from '../../restore/recovery-options.ts'
import { timeOf } from '../../restore/recovery-target.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import type { LibraryJournal } from '../journal/library-journal.ts'

/** Operations of which all that is given is true. */
export interface HistoryQuery extends OperationOptions {
  /** Name in the repository, or path; default: all. */
  readonly database?: string | undefined
  readonly kind?: OperationKind | undefined
  readonly outcome?: RecordedOperation['outcome'] | undefined
  /** Who asked for it: `manual` by the command line, `library` by an application, `schedule` and `catch-up` by a schedule. */
  readonly trigger?: OperationTrigger | undefined
  /** That began at this moment or later. */
  readonly since?: Moment | undefined
  /** That began at this moment or before. */
  readonly until?: Moment | undefined
  /** Only the newest so many; default 1,000. */
  readonly limit?: number | undefined
  /**
   * Ask the repository for what was done elsewhere, or before this machine wrote a journal; default: the first time that its history is
   * read here.
   */
  readonly rebuild?: boolean | undefined
}

const defaultLimit = 1000

const filters = z.object({
  kind: z.enum(operationKinds).optional(),
  outcome: z.enum([...operationOutcomes, 'running']).optional(),
  trigger: z.enum(operationTriggers).optional(),
  limit: z.int().min(1).optional(),
})

/**
 * @param storage the repository's; undefined for all repositories
 * @throws USAGE, ACCESS_DENIED, DATABASE_BUSY, FORMAT_TOO_NEW, ENGINE_DIED, REPOSITORY_NOT_FOUND, STORAGE_*, ABORTED
 */
export async function historyOf(
  journal: LibraryJournal | undefined,
  storage: BackupStorage | undefined,
  query: HistoryQuery,
): Promise<RecordedOperation[]> {
  if (journal === undefined) throw nothingRecorded()
  const { kind, outcome, trigger, limit = defaultLimit } = parseOptions(filters, query)
  const since = query.since === undefined ? undefined : timeOf(query.since)
  const until = query.until === undefined ? undefined : timeOf(query.until)
  const database = query.database === undefined ? undefined : databaseNameFrom(basename(query.database))
  if (storage !== undefined) await bringUpToDate(journal, storage, query)
  return await journal.operations({ repository: storage?.url, database, kind, outcome, trigger, since, until, limit })
}

async function bringUpToDate(
  journal: LibraryJournal,
  storage: BackupStorage,
  { rebuild, signal }: HistoryQuery,
): Promise<void> {
  if (rebuild === false) return
  if (rebuild !== true && (await journal.rebuiltAt(storage.url)) !== undefined) return
  try {
    await rebuildJournal(journal, await openKnown(storage, { signal }), { signal })
  } catch (thrown) {
    if (rebuild === true || !hasCode(thrown, 'REPOSITORY_NOT_FOUND')) throw thrown
    // A repository that is away must not keep one from seeing that it is; one that never was is a mistake.
    const known = await journal.operations({ repository: storage.url, limit: 1 })
    if (known.length === 0) throw thrown
  }
}

function nothingRecorded(): HoldfastError {
  return new HoldfastError('USAGE', 'Nothing is recorded of what is done to this repository.', {
    hint: 'Give "journal" the path of a journal. By default, only repositories in memory have none.',
  })
}
