import { resolve, sep } from 'node:path'
import { Option } from 'commander'
import type { Ending } from '../../agent/journal/ending.ts'
import { restoreEnding } from '../../agent/journal/restore-ending.ts'
import type { ValidationLevel } from '../../source/source.ts'
import { planData, proofData } from '../json/to-json.ts'
import { offerNearest } from '../offer-nearest.ts'
import { wholeNumber } from '../parse/option-values.ts'
import { restoreText } from '../present/restore.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { usageError } from '../usage-error.ts'
import { addStateOptions, commandLine, type StateFlags, wantedData, wantedState, wantedText } from '../wanted-state.ts'

interface RestoreFlags extends StateFlags {
  readonly to: string
  readonly force?: true
  readonly delta?: true
  readonly dryRun?: true
  readonly validate: ValidationLevel
  readonly check?: string
  readonly concurrency: number
}

export const addRestore: AddCommand = (program, run) => {
  const command = program
    .command('restore')
    .summary('get a database back, proven')
    .description(
      'Restores a state of a database to a file. It is written beside the target and proved there; only then it takes its place. If anything fails, the target stays as it was.',
    )
    .argument('<database>', 'name in the repository, or path')
  addStateOptions(command)
    .optionsGroup('Where to:')
    .requiredOption('--to <path>', 'file to restore to')
    .option('--force', 'replace an existing file')
    .option('--delta', 'reuse the existing file: write only the pages that differ')
    .option('--dry-run', 'only say what would be done')
    .optionsGroup('How:')
    .addOption(
      new Option('--validate <level>', 'check the restored file with quick_check or integrity_check')
        .choices(['none', 'quick', 'integrity'])
        .default('integrity'),
    )
    .option('--check <command>', 'also run this shell command on the restored file, "$1"; it must succeed')
    .addOption(new Option('--concurrency <number>', 'reads at once').default(4).argParser(wholeNumber(1, 64)))
    .addHelpText(
      'after',
      examples([
        ['holdfast restore app --latest --to recovered.db', 'the newest state'],
        ['holdfast restore app --before --at "yesterday 14:00" --to recovered.db', 'the last one before a time'],
        ['holdfast restore app --name before-migration --to app.db --delta', 'back to a snapshot, fast'],
      ]),
    )
    .action((name: string, flags: RestoreFlags, self) =>
      run(self, 'restore', (session) =>
        session.journal.recorded(operationOf(name, flags), () => restore(session, name, flags), ending),
      ),
    )
}

/** The check command stays out: it may hold a secret. */
function operationOf(name: string, flags: RestoreFlags): OperationFacts | undefined {
  if (flags.dryRun === true) return undefined
  const { latest, at, lsn, backup, name: named, before, to, force, delta, validate, check } = flags
  return {
    kind: 'restore',
    database: name,
    parameters: {
      state: latest === true ? 'latest' : (at ?? lsn ?? backup ?? named ?? null),
      before: before === true,
      to: resolve(to),
      force: force === true,
      delta: delta === true,
      validate,
      checked: check !== undefined,
    },
  }
}

function ending({ data }: Outcome<'restore'>): Ending {
  return restoreEnding(data)
}

async function restore(session: Session, name: string, flags: RestoreFlags): Promise<Outcome<'restore'>> {
  const { signal, output } = session
  if (flags.to === '') throw usageError('--to names no file.')
  if (flags.to.endsWith(sep))
    throw usageError(
      `--to ${flags.to} is the name of a folder.`,
      'Name the file in it that the database is to be restored to.',
    )
  if (flags.to === '-')
    throw usageError(
      'A database cannot be restored to standard output: it is proved in its file before it is handed over.',
      'Name a file, and pass that on. A file that is called "-" is --to ./-.',
    )
  const targetPath = resolve(flags.to)
  const state = await wantedState(flags, session.now())
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  output.note(`Restoring ${wantedText(state)} of ${database.name}.`)
  const { measuredRestore } = await import('../../restore/measured-restore.ts')
  const options = {
    state,
    targetPath,
    force: flags.force,
    delta: flags.delta,
    dryRun: flags.dryRun,
    validation: flags.validate,
    checkCommand: flags.check,
    concurrency: flags.concurrency,
    signal,
  }
  const result = await offerNearest(database, state, commandAgain(session, database.name, flags), () =>
    withProgress(session, database.name, (onProgress) => measuredRestore(database, { ...options, onProgress })),
  )
  for (const warning of result.warnings) output.warn(warning, database.name)
  const { plan, dryRun, mode, proof, pagesWritten, bytesFetched, durationMs, warnings } = result
  return {
    data: {
      wanted: wantedData(state),
      plan: planData(plan),
      dryRun,
      targetPath,
      mode,
      proof: proof === undefined ? null : proofData(proof),
      pagesWritten,
      bytesFetched,
      durationMs,
      warnings: [...warnings],
    },
    text: restoreText(result),
    brief: '',
  }
}

/** The command as it was given, for another state. */
function commandAgain(session: Session, name: string, flags: RestoreFlags): (state: string) => string {
  const { to, force, delta, dryRun, validate, check } = flags
  const rest = [
    ...(force === true ? ['--force'] : []),
    ...(delta === true ? ['--delta'] : []),
    ...(dryRun === true ? ['--dry-run'] : []),
    ...(validate === 'integrity' ? [] : ['--validate', validate]),
    ...(check === undefined ? [] : ['--check', check]),
    ...repositoryWords(session),
  ]
  return (state) => `${commandLine(['holdfast', 'restore', name])} ${state} ${commandLine(['--to', to, ...rest])}`
}

/** What names the repository in a command that is ready to paste; nothing where it would be found without. */
export function repositoryWords({ location, isLocationImplied }: Session): string[] {
  return isLocationImplied ? [] : ['--repository', location]
}
