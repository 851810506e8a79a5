import type { AgentRecord } from '../../repository/agent-record.ts'
import type { Repository } from '../../repository/repository.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { Condition } from '../notify/alert.ts'
import type { CheckAction, CheckRuns } from './check-runs.ts'
import { type ExpectedWork, expectedWork } from './expected-work.ts'
import type { Evidence } from './read-evidence.ts'
import { judgeEach } from './repository-overdue.ts'

export interface OwnOverdueOptions extends OperationOptions {
  /** The databases that the agent looks after. */
  readonly names: ReadonlySet<string>
  /** As for the work of others. */
  readonly known: Readonly<Record<CheckAction, Map<string, Evidence>>>
  readonly runs: CheckRuns
  /** Keys of the alerts that are on: they last until what is overdue is done, and not only while nobody is doing it. */
  readonly firing: ReadonlySet<string>
}

/**
 * What an agent should verify and drill itself, and does not: where a hook always skips it, nothing fails. What it is about to catch up, as
 * after a sleep, is not told. That it backs up and follows is looked at more often, elsewhere.
 * @param record what is expected of it
 * @param now milliseconds since 1970
 * @throws STORAGE_TRANSIENT, STORAGE_THROTTLED, REPOSITORY_NOT_FOUND, ABORTED
 */
export async function ownOverdue(
  repository: Repository,
  record: AgentRecord | undefined,
  now: number,
  { names, known, runs, firing, ...options }: OwnOverdueOptions,
): Promise<{ readonly overdue: readonly Condition[]; readonly unknown: ReadonlyMap<string, string> }> {
  const expected = [...expectedWork(record === undefined ? [] : [record], now).values()]
  const works = expected.filter(({ database }) => names.has(database))
  const overdue: Condition[] = []
  const unknown = new Map<string, string>()
  const hint = 'See what "holdfast history" says of it, and whether a hook skips it.'
  for (const action of ['verify', 'drill'] as const) {
    for (const name of known[action].keys()) if (!names.has(name)) known[action].delete(name)
    const checks = works.map((work) => only(work, action, runs.madeAt(work.database, action), now))
    const judged = await judgeEach(repository, checks, now, known[action], options)
    const isTold = ({ key, database }: Condition): boolean =>
      firing.has(key) || database === undefined || !runs.isUnderWay(database, action)
    overdue.push(...judged.overdue.filter(isTold).map((condition) => ({ ...condition, hint })))
    for (const [name, problem] of judged.unknown) unknown.set(name, problem)
  }
  return { overdue, unknown }
}

function only(work: ExpectedWork, action: CheckAction, madeAt: number | undefined, now: number): ExpectedWork {
  const schedules = work.schedules.filter((schedule) => schedule.action === action)
  const since = madeAt === undefined || madeAt > now ? work.since : Math.max(work.since, madeAt)
  return { ...work, since, isFollowed: false, overdueAfterMs: undefined, schedules }
}
