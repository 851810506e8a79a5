import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { listAgain } from './list-again.ts'
import { openPlan } from './open-plan.ts'
import { RateFile } from './rates/rate-file.ts'
import { resolveState } from './resolve-state.ts'
import type { RestorePlan, RestoreTargetState } from './restore-options.ts'

/** What a restore of that state would do, and cost on this machine; reads only indexes. @throws NOT_RESTORABLE, BACKUP_NOT_FOUND, INTEGRITY */
export async function planDatabaseRestore(
  database: DatabaseRepository,
  state: RestoreTargetState,
  options: OperationOptions = {},
): Promise<RestorePlan> {
  const rates = await new RateFile().read(database.repository.url)
  return await listAgain(database, options, async (catalog, mayListAgain) => {
    const wanted = await resolveState(database, catalog, state, options)
    const { plan } = await openPlan(database, catalog, wanted, new Map(), { ...options, rates, mayListAgain })
    return plan
  })
}
