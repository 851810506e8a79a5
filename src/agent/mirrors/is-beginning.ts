import type { FollowFacts } from '../follow/follow-facts.ts'
import { isBackup } from '../schedule/schedule-spec.ts'
import type { ScheduleStatus } from '../schedule/schedule-status.ts'

export interface BeginningDatabase {
  readonly followed: { readonly facts: Pick<FollowFacts, 'state' | 'error'> } | undefined
}

/**
 * Whether the first state or backup of a database is still on its way into the repository: a mirror that is begun now would go without it. What
 * fails to be followed is not waited for.
 */
export function isBeginning(
  databases: readonly BeginningDatabase[],
  schedules: readonly Pick<ScheduleStatus, 'database' | 'schedule' | 'state'>[],
  wasBackedUp: (database: string) => boolean,
): boolean {
  const isStarting = databases.some(({ followed }) => {
    const facts = followed?.facts
    return facts?.state === 'starting' && facts.error === undefined
  })
  const isFirst = ({ database, schedule, state }: (typeof schedules)[number]): boolean =>
    state !== 'waiting' && isBackup(schedule.action) && !wasBackedUp(database)
  return isStarting || schedules.some(isFirst)
}
