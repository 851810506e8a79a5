import { resolve } from 'node:path'
import { Option } from 'commander'
import { drillEnding } from '../../agent/journal/drill-ending.ts'
import type { Ending } from '../../agent/journal/ending.ts'
import { exitCodes } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Assertion } from '../../verify/drill/assertion.ts'
import type { DrillReport, DrillState } from '../../verify/drill/drill-options.ts'
import { drillData } from '../json/drill-data.ts'
import { offerNearest } from '../offer-nearest.ts'
import { duration, several, wholeNumber } from '../parse/option-values.ts'
import { drillText, triedText } from '../present/drill.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { usageError } from '../usage-error.ts'
import { addStateOptions, commandLine, type StateFlags, wantedState } from '../wanted-state.ts'
import { repositoryWords } from './restore.ts'

interface DrillFlags extends StateFlags {
  readonly random?: true
  readonly seed?: number
  readonly assert?: readonly string[]
  readonly assertFile?: string
  readonly command?: string
  readonly timeLimit: number
  readonly maxRecoveryTime?: number
  readonly maxAge?: number
  readonly scratch?: string
  readonly keep?: true
}

export const addDrill: AddCommand = (program, run) => {
  const command = program
    .command('drill')
    .summary('try a restore, and what you expect of it')
    .description(
      'Restores a state to a scratch place, proves it, tries your assertions and command on it, and measures how long the recovery took. The verdict (passed, failed or inconclusive) is kept on the backup. The restored file is removed again.',
    )
    .argument('<database>', 'name in the repository, or path')
  addStateOptions(command)
    .option('--random', 'any, also an old one: a backup, or a commit; without one of these: --latest')
    .addOption(
      new Option('--seed <number>', 'with --random: the choice of an earlier drill').argParser(
        wholeNumber(0, 2 ** 32 - 1),
      ),
    )
    .optionsGroup('What must be true:')
    .option('--assert <sql>', 'a query that must yield one true value; more than once', several)
    .option('--assert-file <file>', 'more of them, in YAML: queries, or "sql" with "expect" (docs/drills.md)')
    .option('--command <command>', 'a shell command that gets the restored file as "$1"; it must succeed')
    .addOption(
      new Option('--time-limit <duration>', 'for each assertion and the command')
        .default(300_000, '5m')
        .argParser(duration),
    )
    .option('--max-recovery-time <duration>', 'fail if the recovery takes longer: 15m', duration)
    .option('--max-age <duration>', 'fail if the newest state is older: 2h', duration)
    .optionsGroup('Where:')
    .option('--scratch <folder>', 'where to restore; default: the temporary folder')
    .option('--keep', 'leave the restored file there, and say where it is')
    .addHelpText(
      'after',
      examples([
        ['holdfast drill app', 'the newest state, with every proof'],
        ['holdfast drill app --assert "SELECT count(*) > 1000 FROM users"', 'and what you know of it'],
        ['holdfast drill app --random --max-recovery-time 15m', 'any state, and fast enough'],
      ]),
    )
    .action((name: string, flags: DrillFlags, self) =>
      run(self, 'drill', (session) =>
        session.journal.recorded(operationOf(name, flags), () => drill(session, name, flags), ending),
      ),
    )
}

/** The command stays out: it may hold a secret. */
function operationOf(name: string, flags: DrillFlags): OperationFacts {
  const { at, lsn, backup, name: named, before, random, maxRecoveryTime, maxAge } = flags
  return {
    kind: 'drill',
    database: name,
    parameters: {
      state: random === true ? 'random' : (at ?? lsn ?? backup ?? named ?? 'latest'),
      before: before === true,
      assertions: flags.assert?.length ?? 0,
      assertFile: flags.assertFile ?? null,
      command: flags.command !== undefined,
      maxRecoveryMs: maxRecoveryTime ?? null,
      maxAgeMs: maxAge ?? null,
    },
  }
}

/** What a drill yields, for its record too. */
interface Drilled extends Outcome<'drill'> {
  readonly report: DrillReport
}

function ending({ report }: Drilled): Ending {
  return { database: report.database, ...drillEnding(report) }
}

async function drill(session: Session, name: string, flags: DrillFlags): Promise<Drilled> {
  const { output, signal } = session
  const state = await drillState(flags, session.now())
  const assertions = await assertionsOf(flags)
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  output.note(`Trying a restore of ${triedText(state)} of ${database.name}.`)
  const report = await orNearest(session, repository, database.name, flags, state, () =>
    withProgress(session, database.name, async (onProgress) => {
      const { drillDatabase } = await import('../../verify/drill/drill-database.ts')
      return await drillDatabase(repository, database.name, {
        state,
        assertions,
        command: flags.command,
        timeLimitMs: flags.timeLimit,
        maxRecoveryMs: flags.maxRecoveryTime,
        maxAgeMs: flags.maxAge,
        scratchFolder: flags.scratch === undefined ? undefined : resolve(flags.scratch),
        keep: flags.keep,
        signal,
        onProgress,
      })
    }),
  )
  for (const warning of report.warnings) output.warn(warning, report.database)
  const ends = {
    passed: { brief: '' },
    failed: { exitCode: exitCodes.integrity },
    inconclusive: { exitCode: exitCodes.warnings },
  }
  return { data: drillData(report), text: drillText(report), report, ...ends[report.verdict] }
}

/** @throws USAGE */
async function drillState(flags: DrillFlags, now: number): Promise<DrillState> {
  const { random, seed, latest, at, lsn, backup, name, maxAge } = flags
  const named = [latest, at, lsn, backup, name].some((value) => value !== undefined)
  if (seed !== undefined && random !== true) throw usageError('--seed goes with --random.')
  if (random === true && named) throw usageError('More than one state is named.', 'Give --random alone.')
  if (maxAge !== undefined && (random === true || (named && latest !== true)))
    throw usageError('--max-age goes with the newest state, --latest.')
  if (random === true) return { by: 'random', seed }
  return await wantedState(named ? flags : { ...flags, latest: true }, now)
}

async function assertionsOf({ assert = [], assertFile }: DrillFlags): Promise<Assertion[]> {
  const given = assert.map((sql) => ({ sql }))
  if (given.some(({ sql }) => sql.trim() === '')) throw usageError('--assert names no query.')
  if (assertFile === undefined) return given
  const { readAssertionFile } = await import('../parse/assertion-file.ts')
  return [...given, ...(await readAssertionFile(assertFile))]
}

async function orNearest(
  session: Session,
  repository: Repository,
  name: string,
  flags: DrillFlags,
  state: DrillState,
  work: () => Promise<DrillReport>,
): Promise<DrillReport> {
  if (state.by === 'random') return await work()
  const rest = commandLine([...tries(flags), ...repositoryWords(session)])
  const again = (wanted: string) => `${commandLine(['holdfast', 'drill', name])} ${wanted} ${rest}`.trimEnd()
  return await offerNearest(repository.database(name), state, again, work)
}

/** The options that say what is tried, as they were given. */
function tries({ assert = [], assertFile, command, scratch, keep }: DrillFlags): string[] {
  return [
    ...assert.flatMap((sql) => ['--assert', sql]),
    ...(assertFile === undefined ? [] : ['--assert-file', assertFile]),
    ...(command === undefined ? [] : ['--command', command]),
    ...(scratch === undefined ? [] : ['--scratch', scratch]),
    ...(keep === true ? ['--keep'] : []),
  ]
}
