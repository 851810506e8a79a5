import type { AgentRecord } from '../../repository/agent-record.ts'
import type { Repository } from '../../repository/repository.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { Condition } from '../notify/alert.ts'
import { type ExpectedWork, expectedWork } from './expected-work.ts'
import type { Evidence } from './read-evidence.ts'
import { judgeEach } from './repository-overdue.ts'

export type CheckAction = 'verify' | 'drill'

export interface OwnOverdueOptions extends OperationOptions {
  /** The databases that the agent looks after. */
  readonly names: ReadonlySet<string>
  /** As for the work of others. */
  readonly known: Readonly<Record<CheckAction, Map<string, Evidence>>>
  /** When the agent last made one itself, however that ended: of what failed is told already. In milliseconds since 1970. */
  readonly madeAt: (database: string, action: CheckAction) => number | undefined
}

/**
 * What an agent should verify and drill itself, and does not: where a hook always skips it, nothing fails. That it backs up and follows is
 * looked at more often, elsewhere.
 * @param record what is expected of it
 * @param now milliseconds since 1970
 * @throws STORAGE_TRANSIENT, STORAGE_THROTTLED, REPOSITORY_NOT_FOUND, ABORTED
 */
export async function ownOverdue(
  repository: Repository,
  record: AgentRecord | undefined,
  now: number,
  { names, known, madeAt, ...options }: OwnOverdueOptions,
): Promise<{ readonly overdue: readonly Condition[]; readonly unknown: ReadonlyMap<string, string> }> {
  const expected = [...expectedWork(record === undefined ? [] : [record], now).values()]
  const works = expected.filter(({ database }) => names.has(database))
  const overdue: Condition[] = []
  const unknown = new Map<string, string>()
  const hint = 'See what "holdfast history" says of it, and whether a hook skips it.'
  for (const action of ['verify', 'drill'] as const) {
    for (const name of known[action].keys()) if (!names.has(name)) known[action].delete(name)
    const checks = works.map((work) => only(work, action, madeAt(work.database, action), now))
    const judged = await judgeEach(repository, checks, now, known[action], options)
    overdue.push(...judged.overdue.map((condition) => ({ ...condition, hint })))
    for (const [name, problem] of judged.unknown) unknown.set(name, problem)
  }
  return { overdue, unknown }
}

function only(work: ExpectedWork, action: CheckAction, madeAt: number | undefined, now: number): ExpectedWork {
  const schedules = work.schedules.filter((schedule) => schedule.action === action)
  const since = madeAt === undefined || madeAt > now ? work.since : Math.max(work.since, madeAt)
  return { ...work, since, isFollowed: false, overdueAfterMs: undefined, schedules }
}
