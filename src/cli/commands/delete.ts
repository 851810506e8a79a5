import type { Ending } from '../../agent/journal/ending.ts'
import { exitCodes } from '../../errors.ts'
import { confirm } from '../confirm.ts'
import { formatBytes } from '../format/bytes.ts'
import { counted } from '../format/text.ts'
import { formatFullTime } from '../format/time.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

interface DeleteFlags {
  readonly force?: true
  readonly dryRun?: true
  readonly yes?: true
}

export const addDelete: AddCommand = (program, run) => {
  program
    .command('delete')
    .summary('delete one backup')
    .description(
      'Deletes one backup that no other backup needs, and what was stored for it alone. Asks first. A pinned one, as every snapshot is, must be unpinned before.',
    )
    .argument('<database>', 'name in the repository, or path')
    .argument('<backup>', "the backup's id, the beginning of it, or its name")
    .option('-n, --dry-run', 'only say what would be deleted')
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .option('--force', 'also delete the newest backup of a sound database')
    .addHelpText(
      'after',
      examples([
        ['holdfast delete app before-migration --dry-run', 'see what would go'],
        ['holdfast delete app k3v9 --yes', 'delete without being asked'],
      ]),
    )
    .action((name: string, id: string, flags: DeleteFlags, command) =>
      run(command, 'delete', (session) =>
        session.journal.recorded(operationOf(name, id, flags), () => remove(session, name, id, flags), ending),
      ),
    )
}

function operationOf(name: string, id: string, { force, dryRun }: DeleteFlags): OperationFacts | undefined {
  if (dryRun === true) return undefined
  return { kind: 'delete', database: name, parameters: { backup: id, force: force === true } }
}

function ending({ data }: Outcome<'delete'>): Ending {
  const { backup, dryRun, freedBytes, deletedSegments } = data
  const about = { database: backup.database, backupId: backup.id }
  if (dryRun) return { ...about, outcome: 'interrupted', message: 'It was not confirmed; nothing was deleted.' }
  return { ...about, figures: { freedBytes, segments: deletedSegments.length } }
}

async function remove(
  session: Session,
  name: string,
  id: string,
  { force, dryRun, yes }: DeleteFlags,
): Promise<Outcome<'delete'>> {
  const { signal, output } = session
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  const { deleteAnywhere } = await import('../../capture/control/delete-through-follower.ts')
  const planned = await deleteAnywhere(database, id, { force, dryRun: true, signal })
  const { backup } = planned
  const what = `${backup.type} backup ${backup.id}${backup.name === null ? '' : ` "${backup.name}"`} of ${backup.database}, ${formatFullTime(Date.parse(backup.capturedAt))}`
  const data = {
    backup,
    dryRun: dryRun === true,
    freedBytes: planned.freedBytes,
    deletedSegments: [...planned.deletedSegments],
  }
  const space = `${formatBytes(planned.freedBytes)} in ${counted(planned.deletedSegments.length, 'segment')}`
  if (dryRun === true) return { data, text: `Would delete the ${what}, and free ${space}.\nNothing was deleted.` }
  if (yes !== true && !(await confirm(session, `Delete the ${what}? This frees ${space} and cannot be undone.`))) {
    return { data: { ...data, dryRun: true }, text: 'Nothing was deleted.', exitCode: exitCodes.error }
  }
  const onWarning = (message: string): void => output.warn(message, database.name)
  // By its full id: what was shown is what is deleted.
  const deleted = await deleteAnywhere(database, backup.id, { force, signal, onWarning })
  return {
    data: {
      backup: deleted.backup,
      dryRun: false,
      freedBytes: deleted.freedBytes,
      deletedSegments: [...deleted.deletedSegments],
    },
    text: `Deleted the ${what}; freed ${formatBytes(deleted.freedBytes)}.`,
    brief: '',
  }
}
