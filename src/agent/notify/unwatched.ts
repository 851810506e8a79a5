import type { DatabaseConfig } from '../config/config.ts'
import { isBackup } from '../schedule/schedule-spec.ts'
import { type Alert, conditionKey } from './alert.ts'
import type { Observation } from './engine/advance.ts'

/**
 * Ends alerts of which nobody looks any more whether they are so, because the configuration has changed: also while no agent ran.
 * @param databases that are looked after, by name
 * @param away names of those that are expected back
 */
export function observeUnwatched(
  firing: readonly Alert[],
  databases: ReadonlyMap<string, Pick<DatabaseConfig, 'follow' | 'schedules' | 'verify'>>,
  away: ReadonlySet<string>,
): readonly Observation[] {
  // Commits that had begun to wait must not be told of later.
  const unfollowed = [...databases].filter(([, { follow }]) => follow === undefined)
  const waiting = unfollowed.map(([name]) => ({ what: 'absent', key: conditionKey('lag', name) }) as const)
  const over = firing.flatMap((alert): Observation[] => {
    const { key, kind, database } = alert
    // What is overdue of others is looked at in the repository.
    if (database === undefined || away.has(database)) return []
    const config = databases.get(database)
    const why =
      config !== undefined
        ? reason(alert, database, config)
        : kind === 'overdue'
          ? undefined
          : `${database} is no longer looked after.`
    return why === undefined ? [] : [{ what: 'dropped', key, why }]
  })
  return [...over, ...waiting]
}

function reason(
  { kind, severity, details }: Alert,
  database: string,
  { follow, schedules, verify }: Pick<DatabaseConfig, 'follow' | 'schedules' | 'verify'>,
): string | undefined {
  const { operation, schedule: id, type } = details
  if (kind === 'lag' || kind === 'spool' || (kind === 'failure' && operation === 'follow'))
    return follow === undefined ? `${database} is no longer followed.` : undefined
  // That a drill failed says something of the backups, not only of its schedule.
  const isOfSchedule = kind === 'failure' || (kind === 'drill' && severity === 'warning')
  if (!isOfSchedule || typeof id !== 'string') return undefined
  const schedule = schedules.find((each) => each.id === id)
  if (schedule === undefined) return `The schedule "${id}" of ${database} is not in the configuration any more.`
  const { action } = schedule
  const isSame =
    operation === 'backup'
      ? isBackup(action) && (action === 'full') === (type === 'full')
      : operation === action && (action !== 'verify' || type === verify.level)
  return isSame ? undefined : `The schedule "${id}" of ${database} does something else now.`
}
