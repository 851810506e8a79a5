import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import { toHoldfastError } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'
import type { BackupStats } from '../../repository/stats.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { statsText } from '../present/stats.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { chosenDatabases, warnOfProblems } from './list.ts'

export const addStats: AddCommand = (program, run) => {
  program
    .command('stats')
    .summary('totals, growth and savings')
    .description(
      'Counts backups and bytes, says what is saved against plain copies, how the repository grew, how far its mirrors are behind, and how operations went on this machine.',
    )
    .argument('[database...]', 'names in the repository, or paths; default: all')
    .addHelpText(
      'after',
      examples([
        ['holdfast stats', 'of the whole repository'],
        ['holdfast stats app', 'of one database'],
        ["holdfast stats app --json | jq '.databases[].days'", 'growth by day, to be plotted'],
      ]),
    )
    .action((names: string[], _flags, command) => run(command, 'stats', (session) => stats(session, names)))
}

type Database = ResultData<'stats'>['databases'][number]
type Total = ResultData<'stats'>['total']

async function stats(session: Session, names: readonly string[]): Promise<Outcome<'stats'>> {
  const { signal } = session
  await using repository = await openRepository(session)
  const [{ getBackupStats }, { growthByDay }] = await Promise.all([
    import('../../repository/stats.ts'),
    import('../../repository/growth.ts'),
  ])
  const databases: Database[] = []
  const ownStored: number[] = []
  for (const database of await chosenDatabases(repository, names, signal)) {
    const catalog = await database.catalog({ signal })
    warnOfProblems(session, catalog)
    const own = catalog.backups.reduce((sum, backup) => sum + backup.storedBytes, 0)
    databases.push({ ...describe(database.name, getBackupStats(catalog), own), days: growthByDay(catalog) })
    ownStored.push(own)
  }
  const total = sum(
    databases,
    ownStored.reduce((all, bytes) => all + bytes, 0),
  )
  const chosen = names.length === 0 ? undefined : databases.map(({ database }) => database)
  const recorded = await recordedOperations(session, repository.url)
  const operations = await operationsOf(recorded, chosen)
  const mirrors = await mirrorsOf(session, repository, recorded, chosen)
  const data = { repository: repository.url, databases, total, operations, mirrors }
  return { data, text: statsText(data) }
}

/** The repository tells most; a history that cannot be read is only missed. */
async function recordedOperations(
  { journal, output }: Session,
  repository: string,
): Promise<readonly RecordedOperation[]> {
  try {
    return await (await journal.open()).operations({ repository })
  } catch (thrown) {
    const { message, object } = toHoldfastError(thrown)
    output.warn(`The history cannot be read. ${message}`, object)
    return []
  }
}

async function operationsOf(
  recorded: readonly RecordedOperation[],
  databases: readonly string[] | undefined,
): Promise<ResultData<'stats'>['operations']> {
  const { operationStatistics } = await import('../../agent/journal/operation-statistics.ts')
  const wanted = recorded.filter(({ database }) => databases?.includes(database ?? '') ?? true)
  return operationStatistics(wanted).map(({ days, ...rest }) => ({ ...rest, days: [...days] }))
}

/** Without a sound configuration, what it says of mirrors is only missed. */
async function mirrorsOf(
  session: Session,
  repository: Repository,
  recorded: readonly RecordedOperation[],
  databases: readonly string[] | undefined,
): Promise<ResultData<'stats'>['mirrors']> {
  const { mirrorStates } = await import('../mirror/mirror-states.ts')
  try {
    return await mirrorStates(session, repository, recorded, databases)
  } catch (thrown) {
    session.signal.throwIfAborted()
    const { message, object } = toHoldfastError(thrown)
    session.output.warn(`Nothing can be told of mirrors. ${message}`, object)
    return []
  }
}

/** `ownStored`: stored bytes of the backups' own segments. */
function describe(
  database: string,
  { growth, oldest, newest, newestGood, byType, followed, ...totals }: BackupStats,
  ownStored: number,
): Omit<Database, 'days'> {
  return {
    database,
    ...totals,
    savedByCompression: totals.rawBytes - ownStored,
    savedByIncrementals: totals.databaseBytesProtected - totals.rawBytes,
    byType: { ...byType },
    followed: { ...followed },
    oldest: oldest?.id ?? null,
    newest: newest?.id ?? null,
    newestGood: newestGood?.id ?? null,
    growth: growth.map(({ time, storedBytes }) => ({ time: isoTime(time), storedBytes })),
  }
}

/** `ownStored`: stored bytes of the backups' own segments, which the compression ratio is about. */
function sum(databases: readonly Database[], ownStored: number): Total {
  const add = (pick: (database: Database) => number) => databases.reduce((total, database) => total + pick(database), 0)
  const rawBytes = add((database) => database.rawBytes)
  const databaseBytesProtected = add((database) => database.databaseBytesProtected)
  const savedBytes = add((database) => database.savedBytes)
  return {
    backups: add((database) => database.backups),
    byType: {
      full: add(({ byType }) => byType.full),
      incremental: add(({ byType }) => byType.incremental),
      snapshot: add(({ byType }) => byType.snapshot),
    },
    segments: add((database) => database.segments),
    storedBytes: add((database) => database.storedBytes),
    followed: {
      segments: add(({ followed }) => followed.segments),
      commits: add(({ followed }) => followed.commits),
      bytes: add(({ followed }) => followed.bytes),
    },
    rawBytes,
    databaseBytesProtected,
    savedBytes,
    savingsRatio: databaseBytesProtected === 0 ? 0 : savedBytes / databaseBytesProtected,
    compressionRatio: ownStored === 0 ? 1 : rawBytes / ownStored,
    savedByCompression: rawBytes - ownStored,
    savedByIncrementals: databaseBytesProtected - rawBytes,
  }
}
