import { compactThroughFollower, expireThroughFollower } from '../../capture/control/upkeep-through-follower.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'
import { expireSummary, type UpkeepSummary, upkeepSummary } from '../worker/upkeep-summary.ts'
import type { Worker, WorkerPool } from '../worker/worker-pool.ts'
import type { DatabaseToBackUp } from './back-up.ts'
import { inTurn, type PlaceInLine, type Waiting } from './in-turn.ts'

export interface KeepUpOptions extends Pick<PlaceInLine, 'followed' | 'isWorker'> {
  readonly action: 'expire' | 'compact'
  readonly pool: Pick<WorkerPool, 'take'>
  readonly waiting: Waiting
  readonly signal: AbortSignal
}

interface Work {
  readonly byWorker: (worker: Worker) => Promise<UpkeepSummary>
  readonly byAnother: (socket: string) => Promise<UpkeepSummary>
}

/**
 * Upkeep as the configuration says: by whoever of this machine follows the database, or by one of the workers.
 * @throws USAGE if nothing is to expire; as `expireDatabase`; LEASE_HELD, NOT_RUNNING, ENGINE_DIED, ABORTED
 */
export async function keepUp(
  repository: Repository,
  { address: storage }: Pick<StorageLink, 'address'>,
  { name, config }: Pick<DatabaseToBackUp, 'name' | 'config'>,
  { action, pool, followed, isWorker, waiting, signal }: KeepUpOptions,
): Promise<UpkeepSummary> {
  const database = repository.database(name)
  const input = { database: name, storage }
  const compacting: Work = {
    byWorker: (worker) => worker.call('compact', input, { signal }),
    byAnother: async (socket) => upkeepSummary(await compactThroughFollower(socket, database, { signal })),
  }
  const expiring = (): Work => {
    if (config.retention === undefined)
      throw new HoldfastError('USAGE', `There is no "retention" for ${name}, so nothing expires.`, { object: name })
    const { graceMs, ...policy } = config.retention
    return {
      byWorker: (worker) => worker.call('expire', { ...input, policy, graceMs }, { signal }),
      byAnother: async (socket) =>
        expireSummary(await expireThroughFollower(socket, database, policy, { graceMs, signal })),
    }
  }
  const { byWorker, byAnother } = action === 'compact' ? compacting : expiring()
  return await inTurn(
    { database, followed, isWorker },
    async (turn) => {
      if (turn.by === 'another') return await byAnother(turn.socket)
      const own = turn.by === 'us' ? turn.followed.worker : undefined
      if (own !== undefined) return await byWorker(own)
      using place = pool.take()
      return await byWorker(place.worker)
    },
    waiting,
    signal,
  )
}
