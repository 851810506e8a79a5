import { basename } from 'node:path'
import { Option } from 'commander'
import { backupEnding } from '../../agent/journal/backup-ending.ts'
import type { Ending } from '../../agent/journal/ending.ts'
import type { BackupResult, CreateBackupOptions } from '../../backup/backup-options.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { BackupManifest, BackupType } from '../../repository/manifest.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Codec } from '../../segment/segment.ts'
import type { BackupSource, ValidationLevel } from '../../source/source.ts'
import { mapConcurrently } from '../concurrent.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { duration, tag, wholeNumber } from '../parse/option-values.ts'
import { backupText } from '../present/backup.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { errorDetails, errorFacts, worstExitCode } from '../report-error.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { usageError } from '../usage-error.ts'

interface BackupFlags {
  readonly type?: BackupType
  readonly parent?: string
  readonly name?: string
  readonly tag?: Readonly<Record<string, string>>
  readonly database?: string
  readonly validate: ValidationLevel
  readonly rowCounts: boolean
  readonly allowDamaged?: true
  readonly codec: Codec
  readonly level?: number
  readonly wait?: number
  readonly busyTimeout?: number
  readonly maxConcurrent: number
}

export const addBackup: AddCommand = (program, run) => {
  program
    .command('backup')
    .summary('back up databases, also while they are in use')
    .description(
      'Makes one backup of each database, checked before and after. The databases may be in use: nothing is written into them.',
    )
    .argument('<database...>', 'paths of SQLite databases')
    .optionsGroup('What to make:')
    .addOption(
      new Option('-t, --type <type>', 'default: incremental if there is a good backup, else full').choices([
        'full',
        'incremental',
        'snapshot',
      ]),
    )
    .option('--parent <backup>', 'id or name of the backup to build on; default: the newest')
    .option('-n, --name <name>', 'name the backup; a snapshot must have one')
    .option('--tag <key=value>', 'note something on the backup; may be repeated', tag)
    .option('--database <name>', "name of the database in the repository; default: the file's")
    .optionsGroup('Checks:')
    .addOption(
      new Option('--validate <level>', 'check the database with quick_check or integrity_check')
        .choices(['none', 'quick', 'integrity'])
        .default('quick'),
    )
    .option('--no-row-counts', 'do not count the rows of every table')
    .option('--allow-damaged', 'keep the backup of a database that fails its checks, marked as damaged')
    .optionsGroup('How:')
    .addOption(new Option('--codec <codec>', 'compression').choices(['none', 'gzip', 'zstd']).default('zstd'))
    .option('--level <number>', 'compression level', wholeNumber(-7, 22))
    .option('--wait <duration>', 'wait so long for another backup of the same database to end', duration)
    .option(
      '--busy-timeout <duration>',
      "wait so long for another program's lock on the database (default: 5s)",
      duration,
    )
    .addOption(
      new Option('--max-concurrent <number>', 'back up so many databases at once')
        .default(4)
        .argParser(wholeNumber(1, 64)),
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast backup data/app.db', 'incremental if possible'],
        ['holdfast backup data/app.db --type snapshot --name before-migration', 'a named, pinned state'],
        ['holdfast backup tenants/*.db --max-concurrent 8', 'many at once'],
      ]),
    )
    .action((paths: string[], flags: BackupFlags, command) =>
      run(command, 'backup', (session) => backup(session, paths, flags)),
    )
}

type Done = ResultData<'backup'>['backups'][number]
type Failed = ResultData<'backup'>['failures'][number]

async function backup(session: Session, paths: readonly string[], flags: BackupFlags): Promise<Outcome<'backup'>> {
  const sources = distinct(await Promise.all(paths.map(openSource)))
  checkNames(sources, flags)
  const { journal } = session
  const operations = sources.map((source) => operationOf(source, flags))
  await using repository = await journal.recordedFailure(operations, () => openRepository(session))
  const results = await mapConcurrently(sources, flags.maxConcurrent, async (source): Promise<Done | Failed> => {
    try {
      return await journal.recorded(
        operationOf(source, flags),
        () => backupOne(session, repository, source, flags),
        ending,
      )
    } catch (error) {
      // A single failure, like an interruption, is the command's own.
      if (sources.length === 1 || session.signal.aborted) throw error
      const facts = errorFacts(error, { canWait: true })
      if (!session.output.json)
        session.output.error({ type: 'error', command: 'backup', ...facts }, errorDetails(error))
      return { path: source.location, error: facts }
    }
  })
  const backups = results.filter((result) => 'backup' in result)
  const failures = results.filter((result) => 'error' in result)
  const statuses = failures.map(({ error }) => error.exitCode)
  const summary = sources.length === 1 ? [] : [summarize(backups.length, failures.length)]
  return {
    data: { backups, failures },
    text: [...backups.map((done) => backupText(done)), ...summary].join('\n\n'),
    brief: backups.map((done) => done.backup.id).join('\n'),
    ...(failures.length === 0 ? {} : { exitCode: worstExitCode(statuses) }),
  }
}

function operationOf(
  source: BackupSource,
  { type, database, name, parent, allowDamaged }: BackupFlags,
): OperationFacts {
  return {
    kind: 'backup',
    database: database ?? source.defaultName,
    type,
    parameters: {
      path: source.location,
      name: name ?? null,
      parent: parent ?? null,
      allowDamaged: allowDamaged === true,
    },
  }
}

function ending({ backup, ...rest }: Done): Ending {
  return backupEnding({ metadata: backup, ...rest })
}

async function backupOne(
  session: Session,
  repository: Repository,
  source: BackupSource,
  flags: BackupFlags,
): Promise<Done> {
  const { output, signal } = session
  const [{ requireDatabaseFile }, { createBackup }, { backUpThroughFollower, followerSocket }] = await Promise.all([
    import('../../source/sqlite/file-probe.ts'),
    import('../../backup/create-backup.ts'),
    import('../../capture/control/back-up-through-follower.ts'),
  ])
  const database = await databaseOf(source, repository, { database: flags.database, signal })
  const { name } = database
  const beforehand: string[] = []
  const onWarning = (message: string): void => void beforehand.push(message)
  const follower = await followerSocket(database, { signal, onWarning })
  // A follower knows better what has become of the file.
  if (follower === undefined) await requireDatabaseFile(source.location)
  const { type, reason } = await chooseType(database, flags, follower !== undefined, signal)
  if (reason !== null) output.note(`${name}: ${reason}.`)
  const options: CreateBackupOptions = {
    type,
    parent: flags.parent,
    name: flags.name,
    tags: flags.tag,
    validation: flags.validate,
    rowCounts: flags.rowCounts,
    allowDamaged: flags.allowDamaged,
    codec: flags.codec,
    level: flags.level,
    busyTimeoutMs: flags.busyTimeout,
    leaseWaitMs: flags.wait,
    signal,
  }
  const result: BackupResult = await withProgress(session, name, (onProgress) =>
    follower === undefined
      ? createBackup(source, repository, { ...options, database: flags.database, onProgress })
      : backUpThroughFollower(follower, { database, location: source.location }, { ...options, onProgress }),
  )
  const { metadata, durationMs, writersBlockedMs } = result
  const warnings = [...beforehand, ...result.warnings]
  for (const warning of warnings) output.warn(warning, name)
  return { backup: metadata, typeReason: reason, warnings, durationMs, writersBlockedMs }
}

/** @throws NAME_TAKEN; DATABASE_NOT_FOUND where a name was given in place of a path */
async function databaseOf(
  source: BackupSource,
  repository: Repository,
  options: { readonly database?: string | undefined; readonly signal: AbortSignal },
): Promise<DatabaseRepository> {
  const { chooseDatabase } = await import('../../backup/identity.ts')
  try {
    return await chooseDatabase(source, repository, options)
  } catch (error) {
    if (!hasCode(error, 'NAME_TAKEN')) throw error
    const { requireDatabaseFile } = await import('../../source/sqlite/file-probe.ts')
    await requireDatabaseFile(source.location, `Give the path of a database. ${error.message}`)
    throw error
  }
}

async function chooseType(
  database: DatabaseRepository,
  flags: BackupFlags,
  isFollowed: boolean,
  signal: AbortSignal,
): Promise<{ type: BackupType; reason: string | null }> {
  if (flags.type !== undefined) return { type: flags.type, reason: null }
  if (isFollowed)
    return { type: 'incremental', reason: 'incremental, as it is being followed: its logs hold what changed' }
  if (flags.parent !== undefined) return { type: 'incremental', reason: 'incremental, as a parent is given' }
  const { backups } = await database.catalog({ signal })
  const good = backups.findLast((candidate: BackupManifest) => !candidate.damaged)
  if (good === undefined) {
    return {
      type: 'full',
      reason:
        backups.length === 0 ? 'full, as it is the first backup' : 'full, as every backup so far is marked damaged',
    }
  }
  return {
    type: 'incremental',
    reason: `incremental, as there is a good backup (${good.id} of ${formatTime(Date.parse(good.capturedAt))})`,
  }
}

/** The name must be one that a repository can have: `my-app` for `my app.db`. */
async function openSource(path: string): Promise<BackupSource> {
  // As of a variable that is not set; it would be resolved to the working directory.
  if (path === '') throw usageError('The path of a database is empty.', 'Name the file that the application opens.')
  const [{ sqlite }, { databaseNameFrom }] = await Promise.all([
    import('../../source/sqlite/sqlite-source.ts'),
    import('../../repository/layout.ts'),
  ])
  const source = sqlite(path)
  return { ...source, defaultName: databaseNameFrom(basename(source.location)) }
}

/** A path that is given twice is backed up once. */
function distinct(sources: readonly BackupSource[]): BackupSource[] {
  return [...new Map(sources.map((source) => [source.location, source])).values()]
}

function checkNames(sources: readonly BackupSource[], { type, name, database, parent }: BackupFlags): void {
  if (type === 'snapshot' && name === undefined)
    throw usageError('A snapshot needs a name.', 'Give one: --name before-migration.')
  if (type === 'full' && parent !== undefined)
    throw usageError('A full backup has no parent.', 'Leave out --parent or --type full.')
  if (sources.length > 1) {
    if (database !== undefined)
      throw usageError('--database names one database, but several are given.', 'Back them up one by one.')
    if (parent !== undefined)
      throw usageError('--parent names a backup of one database, but several are given.', 'Back them up one by one.')
  }
  const byName = Map.groupBy(sources, (source) => database ?? source.defaultName)
  for (const [taken, [first, second]] of byName) {
    if (first === undefined || second === undefined) continue
    throw nameTaken(taken, first.location, second.location)
  }
}

function nameTaken(name: string, first: string, second: string): HoldfastError {
  return new HoldfastError('NAME_TAKEN', `${first} and ${second} would both be "${name}" in the repository.`, {
    object: second,
    hint: `Back them up one by one, and give one of them another name: --database other-${name}.`,
  })
}

function summarize(done: number, failed: number): string {
  const all = counted(done + failed, 'database')
  return failed === 0 ? `All ${all} backed up.` : `${done} of ${all} backed up, ${failed} failed.`
}
