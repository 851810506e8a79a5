import { formatState } from '../../../src/history/state-checksum.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { readPageHashes } from '../../../src/repository/page-hashes.ts'
import { fetchPages } from '../../../src/restore/fetch-pages.ts'
import { openPlan } from '../../../src/restore/open-plan.ts'
import { resolveState } from '../../../src/restore/resolve-state.ts'
import type { RestorePlan, RestoreTargetState } from '../../../src/restore/restore-options.ts'
import type { RestoreTarget } from '../../../src/source/target.ts'
import { lockPage } from '../../../src/util/lock-page.ts'

/** Plans and fetches a state as a restore does, into memory instead of a file, and without SQLite's checks: fast enough for loops. */
export async function restoreToMemory(database: DatabaseRepository, state: RestoreTargetState): Promise<Buffer> {
  return (await restoreWithPlan(database, state)).image
}

/** As {@link restoreToMemory}; also says which state that is. */
export async function restoreWithPlan(
  database: DatabaseRepository,
  state: RestoreTargetState,
): Promise<{ readonly image: Buffer; readonly plan: RestorePlan }> {
  const catalog = await database.catalog()
  const { chain, plan } = await openPlan(database, catalog, await resolveState(database, catalog, state), new Map())
  const { pageSize, pageCount } = chain
  const image = Buffer.alloc(pageSize * pageCount)
  const target: Pick<RestoreTarget, 'write' | 'read'> = {
    read: async (pages) =>
      Buffer.concat(Array.from(pages, (page) => image.subarray((page - 1) * pageSize, page * pageSize))),
    write: async (pages, values) => {
      for (const [i, page] of pages.entries())
        image.set(values.subarray(i * pageSize, (i + 1) * pageSize), (page - 1) * pageSize)
    },
  }
  const wanted = new Uint8Array(pageCount).fill(1)
  const lock = lockPage(pageSize)
  if (lock <= pageCount) wanted[lock - 1] = 0
  await fetchPages(chain, await readPageHashes(chain), wanted, target, { onWritten: () => undefined })
  if (plan.checksum !== formatState(chain.state)) throw new Error('The plan is for another state than its chain.')
  return { image, plan }
}
