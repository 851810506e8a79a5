import type { Ending } from '../../agent/journal/ending.ts'
import { compactEnding } from '../../agent/journal/upkeep-ending.ts'
import { duration } from '../parse/option-values.ts'
import { compactText } from '../present/upkeep.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'

interface CompactFlags {
  readonly grace?: number
  readonly dryRun?: true
}

export const addCompact: AddCommand = (program, run) => {
  program
    .command('compact')
    .summary('make a database cheaper to restore')
    .description(
      'Merges small logs, shortens long chains of segments, and deletes what has not been needed for a day. No restore point is lost.',
    )
    .argument('<database>', 'name in the repository, or path')
    .option('--grace <duration>', 'how long what nothing needs any more stays (24h)', duration)
    .option('-n, --dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      examples([
        ['holdfast compact app --dry-run', 'see what there is to do'],
        ['holdfast compact app', 'do it'],
      ]),
    )
    .action((name: string, flags: CompactFlags, command) =>
      run(command, 'compact', (session) =>
        session.journal.recorded(operationOf(name, flags), () => compact(session, name, flags), ending),
      ),
    )
}

function operationOf(name: string, { dryRun }: CompactFlags): OperationFacts | undefined {
  return dryRun === true ? undefined : { kind: 'compact', database: name }
}

function ending({ data }: Outcome<'compact'>): Ending {
  return { database: data.database, ...compactEnding(data) }
}

async function compact(
  session: Session,
  name: string,
  { grace: graceMs, dryRun }: CompactFlags,
): Promise<Outcome<'compact'>> {
  const { signal, now, output } = session
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  const [{ compactAnywhere }, { upkeepData }] = await Promise.all([
    import('../../capture/control/upkeep-through-follower.ts'),
    import('../upkeep/upkeep-data.ts'),
  ])
  const onWarning = (message: string): void => output.warn(message, database.name)
  const report = await withProgress(session, 'compact', (onProgress) =>
    compactAnywhere(database, { dryRun, graceMs, now: now(), signal, onProgress, onWarning }),
  )
  const { dryRun: wasDry, logs } = report
  const data = { database: report.database, dryRun: wasDry, logs: { ...logs }, ...upkeepData(report) }
  return { data, text: compactText(data), brief: '' }
}
