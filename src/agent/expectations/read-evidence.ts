/** What the repository shows of the work that is done for a database. */
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { readDrills } from '../../repository/drill-record.ts'
import { knownLease } from '../../repository/known-lease.ts'
import { readLedger } from '../../repository/verification-ledger.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { isInFuture } from '../../util/clock-margin.ts'
import { coverOf, readFreshness } from '../notify/conditions/freshness.ts'
import type { ExpectedWork } from './expected-work.ts'
import { patienceMs } from './overdue-work.ts'

/** Times are in milliseconds since 1970; undefined: never, as far as the repository shows. */
export interface Evidence {
  /** Of the newest backup or the newest commit, or up to when there was none that is not in the repository. */
  readonly newestStateAt?: number | undefined
  readonly verifiedAt?: number | undefined
  readonly drilledAt?: number | undefined
  /** Undefined where it was not asked for. */
  readonly follower?: FollowerEvidence | undefined
}

export type FollowerEvidence =
  | { readonly state: 'alive' }
  /** `since`: it may have been alive until then. `process`: of one that ended without letting go. */
  | {
      readonly state: 'gone'
      readonly since?: number | undefined
      readonly process?: { readonly host: string; readonly pid: number } | undefined
    }

/** Only what the expectation asks about is read. @param now milliseconds since 1970 @throws STORAGE_*, FORMAT_TOO_NEW, ABORTED */
export async function readEvidence(
  database: DatabaseRepository,
  { isFollowed, overdueAfterMs, schedules }: Pick<ExpectedWork, 'isFollowed' | 'overdueAfterMs' | 'schedules'>,
  now: number,
  options: OperationOptions = {},
): Promise<Evidence> {
  const has = (...actions: readonly string[]) => schedules.some(({ action }) => actions.includes(action))
  const lease = isFollowed ? await knownLease(database, options) : undefined
  const follower = isFollowed ? followerOf(lease) : undefined
  const isCovered = follower?.state === 'alive' && lease !== undefined && covers(lease, now)
  const makesStates = overdueAfterMs !== undefined || has('full', 'incremental', 'snapshot')
  const newest = makesStates && !isCovered ? await readFreshness(database, now, options) : undefined
  const ledger = has('verify') ? await readLedger(database, options) : undefined
  const drills = has('drill') ? await readDrills(database, options) : []
  const checks = [...Object.values(ledger?.segments ?? {}), ...Object.values(ledger?.restores ?? {})]
  return {
    newestStateAt: isCovered
      ? now
      : latest([newest?.newestBackupAt, newest?.newestCommitAt, newest?.coveredUntil], now),
    verifiedAt: latest(
      checks.map(({ checkedAt }) => Date.parse(checkedAt)),
      now,
    ),
    drilledAt: latest(
      drills.map(({ drilledAt }) => Date.parse(drilledAt)),
      now,
    ),
    follower,
  }
}

function followerOf(lease: Awaited<ReturnType<typeof knownLease>>): FollowerEvidence {
  if (lease === undefined) return { state: 'gone' }
  const { document, isHeld } = lease
  if (isHeld && document.purpose === 'follow') return { state: 'alive' }
  if (isHeld || document.released || document.purpose !== 'follow')
    return { state: 'gone', since: Date.parse(document.expiresAt) }
  const { host, pid } = document.owner
  return { state: 'gone', since: Date.parse(document.acquiredAt), process: { host, pid } }
}

/** One that has just begun may not have come to say so. */
function covers(lease: NonNullable<Awaited<ReturnType<typeof knownLease>>>, now: number): boolean {
  return coverOf(lease, now).coveredUntil === now || now < Date.parse(lease.document.acquiredAt) + patienceMs
}

/** Not after now: what another machine dated some seconds later is done, and what a wrong clock dated tells nothing. */
function latest(times: readonly (number | undefined)[], now: number): number | undefined {
  const past = times.flatMap((time) => (time === undefined || isInFuture(time, now) ? [] : [Math.min(time, now)]))
  return past.reduce<number | undefined>((newest, time) => Math.max(newest ?? time, time), undefined)
}
