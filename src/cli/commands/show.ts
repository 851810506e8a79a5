import { findBackupAnywhere } from '../find-backup.ts'
import { showText } from '../present/show.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { warnOfProblems } from './list.ts'

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
  const now = session.now()
  await using repository = await openRepository(session)
  const { backup, catalog, database } = await findBackupAnywhere(repository, id, { ...flags, signal })
  warnOfProblems(session, catalog)
  const [{ chainOf, verifiedOf }, { drilledOf }, { readDrills }, { readLedger }, { dependentsOf }, { toLsn }] =
    await Promise.all([
      import('../verified.ts'),
      import('../drilled.ts'),
      import('../../repository/drill-record.ts'),
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
    backup: {
      ...backup,
      verified: verifiedOf(await readLedger(database, { signal }), backup, chain, now),
      drilled: drilledOf(await readDrills(database, { signal, now }), backup.id),
      parentGone: backup.parent !== null && !catalog.backups.some(({ id: other }) => other === backup.parent),
    },
    chain: chain?.map(({ key, kind, from, to, bytes }) => ({ key, kind, from, to, bytes })) ?? null,
    neededBy: neededBy.map((other) => other.id),
  }
  return { data, text: showText(data) }
}
