import { HoldfastError, hasCode } from '../../errors.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import type { Repository } from '../../repository/repository.ts'
import { showText } from '../present/show.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { chosenDatabases, warnOfProblems } from './list.ts'

interface ShowFlags {
  readonly database?: string
}

export const addShow: AddCommand = (program, run) => {
  program
    .command('show')
    .summary('show all about one backup')
    .description(
      'Shows everything that is known of a backup: what it holds, how it was checked, and what it is built on.',
    )
    .argument('<backup>', "the backup's id, the beginning of it, or its name")
    .option('--database <name>', 'look only at this database')
    .addHelpText(
      'after',
      examples([
        ['holdfast show k3v9', 'by the beginning of its id'],
        ['holdfast show before-migration --database app', 'by its name'],
      ]),
    )
    .action((id: string, flags: ShowFlags, command) => run(command, 'show', (session) => show(session, id, flags)))
}

async function show(session: Session, id: string, flags: ShowFlags): Promise<Outcome<'show'>> {
  const { signal } = session
  await using repository = await openRepository(session)
  const { backup, catalog, database } = await find(session, repository, id, flags)
  warnOfProblems(session, catalog)
  const [{ chainOf, verifiedOf }, { readLedger }, { dependentsOf }, { toLsn }] = await Promise.all([
    import('../verified.ts'),
    import('../../repository/verification-ledger.ts'),
    import('../../history/dependents.ts'),
    import('../../history/lsn.ts'),
  ])
  const chain = chainOf(catalog, backup)
  if (chain === undefined)
    session.output.warn('This backup cannot be restored: a segment that leads to it is missing.', backup.id)
  const kept = catalog.backups.map((other) => ({ id: other.id, lsn: toLsn(other.lsn) }))
  const neededBy = dependentsOf(catalog.segments, kept, { id: backup.id, lsn: toLsn(backup.lsn) })
  const data = {
    backup: { ...backup, verified: verifiedOf(await readLedger(database, { signal }), backup, chain) },
    chain: chain?.map(({ key, kind, from, to, bytes }) => ({ key, kind, from, to, bytes })) ?? null,
    neededBy: neededBy.map((other) => other.id),
  }
  return { data, text: showText(data) }
}

interface Found {
  readonly backup: BackupManifest
  readonly catalog: Catalog
  readonly database: DatabaseRepository
}

/** Ids are unique in a repository, names only within a database. */
async function find({ signal }: Session, repository: Repository, id: string, flags: ShowFlags): Promise<Found> {
  const { findBackup } = await import('../../repository/catalog.ts')
  const found: Found[] = []
  let failure: HoldfastError | undefined
  const databases = await chosenDatabases(repository, flags.database === undefined ? [] : [flags.database], signal)
  for (const database of databases) {
    const catalog = await database.catalog({ signal })
    try {
      found.push({ backup: findBackup(catalog, id), catalog, database })
    } catch (error) {
      if (!hasCode(error, 'BACKUP_NOT_FOUND')) throw error
      failure = error
    }
  }
  const [only, another] = found
  if (only === undefined) throw databases.length === 1 && failure !== undefined ? failure : unknown(repository, id)
  if (another === undefined) return only
  const owners = found.map(({ database }) => database.name).join(', ')
  throw new HoldfastError('BACKUP_NOT_FOUND', `"${id}" fits backups of several databases: ${owners}.`, {
    object: id,
    hint: `Say which: --database ${only.database.name}.`,
  })
}

function unknown(repository: Repository, id: string): HoldfastError {
  return new HoldfastError(
    'BACKUP_NOT_FOUND',
    `No database in ${repository.url} has a backup with the id or name "${id}".`,
    {
      object: id,
      hint: 'See them with "holdfast list".',
    },
  )
}
