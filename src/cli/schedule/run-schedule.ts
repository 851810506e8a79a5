import type { AgentControlSignatures } from '../../agent/agent-control-api.ts'
import { AgentJobs } from '../../agent/agent-jobs.ts'
import type { FoundDatabase } from '../../agent/discovery/discover.ts'
import { afterHooks } from '../../agent/hooks/after-hooks.ts'
import { runHooks } from '../../agent/hooks/run-hooks.ts'
import { endOf, failedEnd, withWarnings } from '../../agent/journal/ending.ts'
import type { OperationEnd, OperationStart } from '../../agent/journal/operation.ts'
import type { Operations } from '../../agent/operations/operations.ts'
import { describeSchedule } from '../../agent/schedule/describe-schedule.ts'
import type { RunEnd } from '../../agent/schedule/run-end.ts'
import type { ScheduleSpec } from '../../agent/schedule/schedule-spec.ts'
import { WorkerPool } from '../../agent/worker/worker-pool.ts'
import { systemClock } from '../../capture/clock.ts'
import { linkStorage } from '../../engine/storage-link.ts'
import { exitCodes, hasCode } from '../../errors.ts'
import { Repository } from '../../repository/repository.ts'
import { connectToAgent } from '../agent/agent-client.ts'
import { formatDuration } from '../format/duration.ts'
import type { ResultData } from '../json/schemas.ts'
import type { Outcome, Session } from '../session.ts'
import { type Configured, findConfigured, findSchedule, readConfigured } from './configured.ts'

type Result = Pick<ResultData<'schedule run'>, 'by' | 'outcome' | 'message' | 'backupId'>

interface Ended {
  readonly result: Result
  /** What is to be known besides. */
  readonly warnings: readonly string[]
}

/** @throws CONFIG_INVALID, NAME_NOT_FOUND, SCHEDULE_NOT_FOUND, and what the work throws */
export async function runSchedule(session: Session, wanted: string, id: string): Promise<Outcome<'schedule run'>> {
  const configured = await readConfigured(session)
  const mirror = configured.config.mirrors.find((each) => each.name === wanted)
  const database = mirror === undefined ? findConfigured(configured, wanted) : undefined
  const name = database?.name ?? wanted
  const schedules = mirror === undefined ? (database?.config.schedules ?? []) : [mirror.schedule]
  const schedule = findSchedule(name, schedules, id)
  const description = describeSchedule(schedule)
  const startedAt = session.now()
  const { result, warnings } =
    (await byAgent(session, name, id)) ?? (await here(session, configured, { name, database, schedule }))
  const durationMs = Math.max(0, session.now() - startedAt)
  const { outcome, message } = result
  if (outcome === 'warning' && message !== null) session.output.warn(message, name)
  for (const warning of warnings) session.output.warn(warning, name)
  const data = { database: name, id, action: schedule.action, description, ...result, durationMs }
  const exitCode = exitCodeOf(outcome)
  return {
    data,
    text: resultText(data),
    brief: result.backupId ?? '',
    ...(exitCode === undefined ? {} : { exitCode }),
  }
}

/** Undefined if no agent runs. What one fails with that does, or ends in the middle of, is told and not done here once more. */
async function byAgent(session: Session, database: string, schedule: string): Promise<Ended | undefined> {
  using agent = await runningAgent(session)
  if (agent === undefined) return undefined
  return resultOf('agent', await agent.call('runSchedule', { database, schedule }, { signal: session.signal }))
}

async function runningAgent(session: Session): Promise<Awaited<ReturnType<typeof connectToAgent>> | undefined> {
  try {
    return await connectToAgent(session)
  } catch (thrown) {
    if (hasCode(thrown, 'NOT_RUNNING')) return undefined
    throw thrown
  }
}

interface ToRun {
  /** Of the database, or of the mirror. */
  readonly name: string
  readonly database: FoundDatabase | undefined
  readonly schedule: ScheduleSpec
}

/** As the agent would do it, without telling anybody else of it. */
async function here(session: Session, { config }: Configured, { name, database, schedule }: ToRun): Promise<Ended> {
  const { signal, now, output } = session
  output.note('No agent runs, so this is done here.')
  await using link = await linkStorage(config.repository)
  const repository = await Repository.open(link.storage, { signal })
  await using pool = new WorkerPool(link, 1)
  const operations: Pick<Operations, 'run'> = { run: (...asked) => operate(session, ...asked) }
  const find = () => (database === undefined ? undefined : { ...database, followed: undefined })
  const mirrors = {
    all: config.mirrors.map((mirror) => ({ config: mirror, completeAt: undefined })),
    find: (wanted: string) => config.mirrors.find((mirror) => mirror.name === wanted),
    began: () => {},
    completed: () => {},
  }
  const jobs = new AgentJobs({
    repository,
    repositoryName: link.storage.url,
    link,
    operations,
    pool,
    find,
    mirrors,
    wasBackedUp: () => false,
    clock: { now, sleep: systemClock.sleep },
  })
  const run = { database: name, schedule, due: now(), reason: 'manual' } as const
  return resultOf('command', await jobs.run(run, signal, (wait) => wait(signal)))
}

function resultOf(by: Result['by'], end: RunEnd | AgentControlSignatures['runSchedule']['output']): Ended {
  const { outcome, message, warnings, backupId } = end
  const result = {
    by,
    outcome: outcome === 'interrupted' ? 'failed' : outcome,
    message: message ?? null,
    backupId: backupId ?? null,
  } as const
  return { result, warnings: warnings ?? [] }
}

/** One operation with its hooks, recorded in the history. */
async function operate(
  { journal, output, now }: Session,
  start: OperationStart,
  { hooks, path, signal }: Parameters<Operations['run']>[1],
  work: Parameters<Operations['run']>[2],
): Promise<OperationEnd | undefined> {
  const { kind, database, type, schedule } = start
  const asked = { ...start, operation: kind, path }
  const before = await runHooks(hooks, { ...asked, moment: 'before' }, { signal })
  for (const warning of before.warnings) output.warn(warning, database)
  if (before.decisive?.verdict === 'skip') {
    output.note(before.decisive.reason)
    return undefined
  }
  const startedAt = now()
  const after = async (end: OperationEnd): Promise<readonly string[]> =>
    await afterHooks(end, { hooks, asked, durationMs: Math.max(0, now() - startedAt) })
  const parameters = { schedule: schedule ?? null, path: path ?? null }
  const operation = await journal.begin({ kind, database, type, schedule, parameters })
  const onWait = (reason: string | undefined): void => {
    if (reason !== undefined) output.note(`${reason} That is waited for.`)
  }
  let end: OperationEnd
  try {
    if (before.decisive?.verdict === 'failed') throw before.decisive.error
    end = endOf(await work(signal, onWait))
  } catch (thrown) {
    const ended = failedEnd(thrown)
    const warnings = await after(ended)
    // With the error itself, they would not be seen.
    for (const warning of warnings) output.warn(warning, database)
    await operation?.fail(thrown, undefined, withWarnings(ended, warnings))
    throw thrown
  }
  end = withWarnings(end, await after(end))
  await operation?.end(end)
  return end
}

function resultText({ database, description, outcome, message, backupId, durationMs }: ResultData<'schedule run'>) {
  const what = `${database}: ${description}`
  if (outcome === 'skipped') return `${what}. Nothing was done: a hook asked for that.`
  const said = message === null || outcome === 'warning' ? '' : `\n${message}`
  const backup = backupId === null ? '' : `, backup ${backupId}`
  return `${what}. ${outcome === 'failed' ? 'Failed' : outcome === 'inconclusive' ? 'Inconclusive' : 'Done'} after ${formatDuration(durationMs)}${backup}.${said}`
}

function exitCodeOf(outcome: Result['outcome']): number | undefined {
  if (outcome === 'failed') return exitCodes.integrity
  return outcome === 'inconclusive' ? exitCodes.warnings : undefined
}
