import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { openPlan } from './open-plan.ts'
import { resolveState } from './resolve-state.ts'
import type { RestorePlan, RestoreTargetState } from './restore-options.ts'

/** What a restore of that state would do and cost; reads only indexes. @throws NOT_RESTORABLE, BACKUP_NOT_FOUND, INTEGRITY */
export async function planDatabaseRestore(
  database: DatabaseRepository,
  state: RestoreTargetState,
  options: OperationOptions = {},
): Promise<RestorePlan> {
  const catalog = await database.catalog(options)
  const lsn = await resolveState(database, catalog, state, options)
  const { plan } = await openPlan(database, catalog, lsn, new Map(), options)
  return plan
}
