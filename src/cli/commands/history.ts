import { basename } from 'node:path'
import { Option } from 'commander'
import type { Journal } from '../../agent/journal/journal.ts'
import { type OperationKind, operationKinds, operationOutcomes } from '../../agent/journal/operation.ts'
import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { OperationLine } from '../json/history-schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { wholeNumber } from '../parse/option-values.ts'
import { type TimeRangeFlags, timeRange } from '../parse/time-range.ts'
import { historyText } from '../present/history.ts'
import { type AddCommand, examples } from '../program.ts'
import { storageUrl } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

interface HistoryFlags extends TimeRangeFlags {
  readonly kind?: OperationKind
  readonly outcome?: RecordedOperation['outcome']
  readonly limit: number
  readonly all?: true
  readonly rebuild?: true
}

export const addHistory: AddCommand = (program, run) => {
  program
    .command('history')
    .summary('show what was done, and how it went')
    .description(
      'Shows the operations on this repository that were done on this machine by this user, oldest first, and what the repository tells of others.',
    )
    .argument('[database]', 'name in the repository, or path; default: all')
    .option('--since <time>', 'that began at this time or later')
    .option('--until <time>', 'that began at this time or before')
    .addOption(new Option('--kind <kind>', 'only operations of this kind').choices(operationKinds))
    .addOption(new Option('--outcome <outcome>', 'only those that ended so').choices([...operationOutcomes, 'running']))
    .addOption(
      new Option('--limit <number>', 'only the newest so many')
        .default(50)
        .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    )
    .option('--all', 'also those on other repositories')
    .option('--rebuild', 'ask the repository again for what was done elsewhere, or before')
    .addHelpText(
      'after',
      examples([
        ['holdfast history', 'the newest operations on the repository'],
        ['holdfast history app --outcome failed --since "7 days ago"', 'what went wrong this week'],
        ['holdfast history --json | jq \'select(.type == "operation")\'', 'for programs'],
      ]),
    )
    .action((name: string | undefined, flags: HistoryFlags, command) =>
      run(command, 'history', (session) => history(session, name, flags)),
    )
}

async function history(session: Session, name: string | undefined, flags: HistoryFlags): Promise<Outcome<'history'>> {
  const { output, now } = session
  const range = await timeRange(flags, now())
  const journal = await session.journal.open()
  const repository = flags.all === true ? undefined : await storageUrl(session.location)
  const added = await bringUpToDate(session, journal, repository, flags)
  const { databaseNameFrom } = await import('../../repository/layout.ts')
  const { kind, outcome, limit } = flags
  const database = name === undefined ? undefined : databaseNameFrom(basename(name))
  const operations = await journal.operations({ repository, database, kind, outcome, limit, ...range })
  if (database !== undefined && operations.length === 0) await expectKnown(journal, repository, database)
  if (output.json) for (const operation of operations) output.printJson(lineOf(operation))
  return {
    data: { journal: journal.path, repository: repository ?? null, operations: operations.length, added },
    text: historyText(operations, { now: now(), limit, ofAll: flags.all === true }),
  }
}

/** A repository is asked once by itself, and whenever it is wanted. Returns how many operations were new. */
async function bringUpToDate(
  session: Session,
  journal: Journal,
  repository: string | undefined,
  { all, rebuild }: HistoryFlags,
): Promise<number | null> {
  if (rebuild === true) return await askRepository(session, journal)
  if (all === true || (repository !== undefined && (await journal.rebuiltAt(repository)) !== undefined)) return null
  try {
    return await askRepository(session, journal)
  } catch (thrown) {
    const known = await journal.operations({ repository, limit: 1 })
    // A repository that is away must not keep one from seeing that it is; one that never was is a mistake.
    if (known.length === 0 || !hasCode(thrown, 'REPOSITORY_NOT_FOUND')) throw thrown
    session.output.note(`The repository could not be asked for more: ${thrown.message}`)
    return null
  }
}

/** @throws NAME_NOT_FOUND if nothing at all is recorded of that database */
async function expectKnown(journal: Journal, repository: string | undefined, database: string): Promise<void> {
  const names = await journal.databaseNames(repository)
  if (names.includes(database)) return
  const known = names.length === 0 ? 'it tells of none yet' : `it tells of ${names.join(', ')}`
  throw new HoldfastError('NAME_NOT_FOUND', `The history knows no database "${database}": ${known}.`, {
    object: database,
    hint: 'Give a name from that list, ask the repository for what was done elsewhere (--rebuild), or look at all repositories (--all).',
  })
}

async function askRepository(session: Session, journal: Journal): Promise<number> {
  const { rebuildJournal } = await import('../../agent/journal/rebuild.ts')
  await using repository = await openRepository(session)
  const { added, problems } = await rebuildJournal(journal, repository, { signal: session.signal })
  for (const { key, problem } of problems) session.output.warn(problem, key)
  return added
}

function lineOf({ type, startedAt, endedAt, figures, ...operation }: RecordedOperation): OperationLine {
  const { id, kind, repository, trigger, outcome, rebuilt } = operation
  return {
    type: 'operation',
    id,
    kind,
    subtype: type ?? null,
    database: operation.database ?? null,
    repository,
    trigger,
    schedule: operation.schedule ?? null,
    startedAt: isoTime(startedAt),
    endedAt: endedAt === undefined ? null : isoTime(endedAt),
    durationMs: endedAt === undefined ? null : endedAt - startedAt,
    outcome,
    code: operation.code ?? null,
    message: operation.message ?? null,
    warnings: [...(operation.warnings ?? [])],
    backupId: operation.backupId ?? null,
    figures: { ...figures },
    rebuilt,
  }
}
