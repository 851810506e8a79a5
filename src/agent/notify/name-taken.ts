import type { DatabaseConfig } from '../config/config.ts'
import { isBackup } from '../schedule/schedule-spec.ts'
import type { Alert } from './alert.ts'

/** By database: alerts that what is to be written to its history was refused, since its name is that of another. */
export function namesTaken(firing: readonly Alert[]): ReadonlyMap<string | undefined, readonly Alert[]> {
  const refusals = firing.filter(
    ({ kind, details: { code, operation } }) =>
      kind === 'failure' && code === 'NAME_TAKEN' && (operation === 'backup' || operation === 'follow'),
  )
  return Map.groupBy(refusals, ({ database }) => database)
}

/**
 * Ids of the schedules whose backups end these alerts: those that were refused. Of a database that is not followed, else the first; to
 * follow one keeps it safe already.
 */
export function backupsAfter(
  taken: readonly Alert[],
  { schedules, follow }: Pick<DatabaseConfig, 'schedules' | 'follow'>,
): readonly string[] {
  const refused = schedules.filter(
    ({ id, action }) =>
      isBackup(action) &&
      taken.some(({ details: { operation, schedule } }) => operation === 'backup' && schedule === id),
  )
  // A full one does all that the others would have done.
  const full = refused.find(({ action }) => action === 'full')
  if (full !== undefined) return [full.id]
  if (refused.length > 0) return refused.map(({ id }) => id)
  const first = schedules.find(({ action }) => action === 'full' || action === 'incremental')
  return first === undefined || follow !== undefined ? [] : [first.id]
}
