import { Option } from 'commander'
import type { Ending } from '../../agent/journal/ending.ts'
import { expireEnding } from '../../agent/journal/upkeep-ending.ts'
import { exitCodes } from '../../errors.ts'
import type { RetentionPolicy } from '../../history/retention.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { confirm } from '../confirm.ts'
import { counted } from '../format/text.ts'
import { isoTime } from '../json/to-json.ts'
import { duration, wholeNumber } from '../parse/option-values.ts'
import { expireText, simulationText } from '../present/expire.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { addPolicyOptions, type PolicyFlags, policyOf } from '../upkeep/policy-flags.ts'
import type { ExpireData } from '../upkeep/upkeep-data.ts'
import { usageError } from '../usage-error.ts'

interface ExpireFlags extends PolicyFlags {
  readonly grace?: number
  readonly dryRun?: true
  readonly yes?: true
  readonly simulate?: true
  readonly years: number
  readonly every: 'hourly' | 'daily' | 'weekly'
}

export const addExpire: AddCommand = (program, run) => {
  const command = program
    .command('expire')
    .summary('let go of backups by a retention policy')
    .description(
      'Keeps what a policy says, each backup with its reasons, and lets the others go: their segments are deleted a day later, by a later run. Without any option for the policy, that of the configuration counts, or else: 7 daily, 4 weekly, 12 monthly, 7 yearly. Asks first. docs/retention.md describes it.',
    )
    .argument('[database]', 'name in the repository, or path; default: every database of the repository')
  addPolicyOptions(command)
    .option('--grace <duration>', 'how long what nothing needs any more stays (24h)', duration)
    .option('-n, --dry-run', 'only say what would be done, and why')
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .option('--simulate', 'show what the policy would leave of regular backups; needs no repository')
    .addOption(
      new Option('--every <interval>', 'how often the simulation makes a backup')
        .choices(['hourly', 'daily', 'weekly'])
        .default('daily'),
    )
    .option('--years <n>', 'how long the simulation goes on', wholeNumber(1, 100), 2)
    .addHelpText(
      'after',
      examples([
        ['holdfast expire app --dry-run', 'what would be kept and dropped, and why'],
        ['holdfast expire --dry-run', 'the same of every database, each by its own policy'],
        ['holdfast expire app --keep-last 3 --keep-daily 7 --keep-weekly 4 --yes', 'in a script'],
        ['holdfast expire --simulate --keep-daily 7 --keep-monthly 12', 'what a policy leaves in the long run'],
      ]),
    )
    .action((name: string | undefined, flags: ExpireFlags, self) =>
      run(self, 'expire', async (session) => {
        if (flags.simulate === true) return await simulate(session, name, flags)
        if (name === undefined) return await expireAll(session, flags)
        const facts = operationOf(name, flags)
        return await session.journal.recorded(facts, () => expire(session, name, flags), ending)
      }),
    )
}

function operationOf(name: string, flags: ExpireFlags): OperationFacts | undefined {
  if (flags.dryRun === true) return undefined
  const said = Object.entries(policyOf(flags) ?? {}).flatMap(([rule, value]) =>
    value === undefined ? [] : [[rule, value] as const],
  )
  return { kind: 'expire', database: name, parameters: Object.fromEntries(said) }
}

function ending({ data }: Outcome<'expire'>): Ending {
  const about = { database: data.database ?? undefined }
  if (data.dryRun) return { ...about, outcome: 'interrupted', message: 'It was not confirmed; nothing was changed.' }
  return { ...about, ...expireEnding(data) }
}

interface ChosenPolicy {
  /** Undefined: the default one. */
  readonly policy: RetentionPolicy | undefined
  readonly graceMs: number | undefined
  readonly policyFrom: 'options' | 'configuration' | 'default'
}

async function choosePolicy(session: Session, database: string, flags: ExpireFlags): Promise<ChosenPolicy> {
  const given = policyOf(flags)
  if (given !== undefined) return { policy: given, graceMs: flags.grace, policyFrom: 'options' }
  const { configuredRetention } = await import('../upkeep/configured-retention.ts')
  const configured = await configuredRetention(session, database)
  if (configured === undefined) return { policy: undefined, graceMs: flags.grace, policyFrom: 'default' }
  const { graceMs, ...policy } = configured
  return { policy, graceMs: flags.grace ?? graceMs, policyFrom: 'configuration' }
}

async function expire(session: Session, name: string, flags: ExpireFlags): Promise<Outcome<'expire'>> {
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal: session.signal })
  const chosen = await choosePolicy(session, database.name, flags)
  const planned = await applied(session, database, chosen, true)
  if (flags.dryRun === true) return { data: planned, text: expireText(planned) }
  if (flags.yes !== true && !isNothing(planned) && !(await isConfirmed(session, [planned]))) {
    return { data: planned, text: 'Nothing was changed.', exitCode: exitCodes.error }
  }
  const data = await applied(session, database, chosen, false)
  return { data, text: expireText(data), brief: '' }
}

/** Each by its own policy. All plans are made, shown and confirmed before the first of them is carried out. */
async function expireAll(session: Session, flags: ExpireFlags): Promise<Outcome<'expire'>> {
  await using repository = await openRepository(session)
  const names = await repository.databaseNames({ signal: session.signal })
  const plans: { database: DatabaseRepository; chosen: ChosenPolicy; planned: ExpireData }[] = []
  for (const name of names) {
    const database = repository.database(name)
    const chosen = await choosePolicy(session, name, flags)
    plans.push({ database, chosen, planned: await applied(session, database, chosen, true) })
  }
  const { outcomeOfAll } = await import('../upkeep/expire-all.ts')
  const planned = plans.map((each) => each.planned)
  if (flags.dryRun === true) return outcomeOfAll(planned, true)
  if (flags.yes !== true && !planned.every(isNothing) && !(await isConfirmed(session, planned)))
    return { ...outcomeOfAll(planned, true), text: 'Nothing was changed.', exitCode: exitCodes.error }
  const done: ExpireData[] = []
  for (const { database, chosen } of plans) {
    const work = async () => ({ data: await applied(session, database, chosen, false), text: '' })
    done.push((await session.journal.recorded(operationOf(database.name, flags), work, ending)).data)
  }
  return { ...outcomeOfAll(done, false), brief: '' }
}

function isNothing({ drop, merged, deleted }: ExpireData): boolean {
  return drop.length + merged.length + deleted.length === 0
}

async function applied(
  session: Session,
  database: DatabaseRepository,
  { policy, graceMs, policyFrom }: ChosenPolicy,
  dryRun: boolean,
): Promise<ExpireData> {
  const [{ expireAnywhere }, { expireData }] = await Promise.all([
    import('../../capture/control/upkeep-through-follower.ts'),
    import('../upkeep/upkeep-data.ts'),
  ])
  const { signal, now, output } = session
  const onWarning = (message: string): void => output.warn(message, database.name)
  const report = await withProgress(session, 'expire', (onProgress) =>
    expireAnywhere(database, policy, { dryRun, graceMs, now: now(), signal, onProgress, onWarning }),
  )
  return expireData(report, policyFrom)
}

async function isConfirmed(session: Session, planned: readonly ExpireData[]): Promise<boolean> {
  session.output.note(planned.map(expireText).join('\n\n'))
  const count = planned.reduce((sum, { drop }) => sum + drop.length, 0)
  const [only, another] = planned.filter(({ drop }) => drop.length > 0)
  const where = another === undefined ? only?.database : counted(planned.length, 'database')
  const backups = count === 0 ? '' : `drop ${counted(count, 'backup')} of ${where}, and `
  const question = `${backups}give up what nothing needs any more?`
  return await confirm(session, `${question.charAt(0).toUpperCase()}${question.slice(1)} This cannot be undone.`)
}

async function simulate({ now }: Session, name: string | undefined, flags: ExpireFlags): Promise<Outcome<'expire'>> {
  if (name !== undefined) throw usageError('A simulation is about no database.', 'Leave its name out, or --simulate.')
  const [{ retentionPolicy }, { simulateRetention }, { policyData, reasonsData }] = await Promise.all([
    import('../../maintenance/expire/retention-policy.ts'),
    import('../../history/simulate-retention.ts'),
    import('../upkeep/upkeep-data.ts'),
  ])
  const given = policyOf(flags)
  const policy = retentionPolicy(given)
  const { years, every } = flags
  const { made, keep } = simulateRetention(policy, { now: now(), years, every })
  const data = {
    database: null,
    dryRun: true,
    policy: policyData(policy),
    policyFrom: given === undefined ? ('default' as const) : ('options' as const),
    keep: [],
    drop: [],
    merged: [],
    deleted: [],
    waiting: [],
    freedBytes: 0,
    waitingBytes: 0,
    simulation: {
      made,
      every,
      years,
      keep: keep.map(({ backup, reasons }) => ({ time: isoTime(backup.time), reasons: reasonsData(reasons) })),
    },
  }
  return { data, text: simulationText(data) }
}
