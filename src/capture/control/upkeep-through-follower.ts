import { ControlClient } from '../../control/client.ts'
import type { RetentionPolicy } from '../../history/retention.ts'
import { type CompactReport, compactDatabase } from '../../maintenance/compact/compact-database.ts'
import { type ExpireReport, expireDatabase } from '../../maintenance/expire/expire-database.ts'
import { retentionPolicy } from '../../maintenance/expire/retention-policy.ts'
import type { UpkeepOptions } from '../../maintenance/upkeep/upkeep-options.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { type FollowerSocketOptions, followerSocket } from './back-up-through-follower.ts'
import { captureControlApi } from './control-api.ts'

export type UpkeepAnywhereOptions = Pick<
  UpkeepOptions,
  'dryRun' | 'graceMs' | 'leaseWaitMs' | 'now' | 'onProgress' | 'signal'
>

/**
 * As `expireDatabase`; where a process of this machine follows the database, it is done there, under the lease that it holds.
 * @throws as `expireDatabase`, and NOT_RUNNING, ACCESS_DENIED
 */
export async function expireAnywhere(
  database: DatabaseRepository,
  policy: RetentionPolicy | undefined,
  options: UpkeepAnywhereOptions & FollowerSocketOptions = {},
): Promise<ExpireReport> {
  const checked = retentionPolicy(policy)
  const socket = options.dryRun === true ? undefined : await followerSocket(database, options)
  if (socket === undefined) return await expireDatabase(database, checked, options)
  return await expireThroughFollower(socket, database, checked, options)
}

/** @param socket of the process that follows the database. @throws what that says; NOT_RUNNING, ACCESS_DENIED, USAGE, ABORTED */
export async function expireThroughFollower(
  socket: string,
  database: DatabaseRepository,
  policy: RetentionPolicy,
  { graceMs, signal, onProgress }: Pick<UpkeepAnywhereOptions, 'graceMs' | 'signal' | 'onProgress'>,
): Promise<ExpireReport> {
  using follower = await ControlClient.connect(socket, captureControlApi, { signal, follows: database.name })
  const input = { which: whichOf(database), policy, graceMs }
  return await follower.call('expire', input, { signal, onEvent: onProgress })
}

/** As `compactDatabase`, in the same way. @throws as `compactDatabase`, and NOT_RUNNING, ACCESS_DENIED */
export async function compactAnywhere(
  database: DatabaseRepository,
  options: UpkeepAnywhereOptions & FollowerSocketOptions = {},
): Promise<CompactReport> {
  const socket = options.dryRun === true ? undefined : await followerSocket(database, options)
  if (socket === undefined) return await compactDatabase(database, options)
  return await compactThroughFollower(socket, database, options)
}

/** As {@link expireThroughFollower}. */
export async function compactThroughFollower(
  socket: string,
  database: DatabaseRepository,
  { graceMs, signal, onProgress }: Pick<UpkeepAnywhereOptions, 'graceMs' | 'signal' | 'onProgress'>,
): Promise<CompactReport> {
  using follower = await ControlClient.connect(socket, captureControlApi, { signal, follows: database.name })
  const input = { which: whichOf(database), graceMs }
  return await follower.call('compact', input, { signal, onEvent: onProgress })
}

function whichOf({ repository, name }: DatabaseRepository) {
  return { repositoryId: repository.id, database: name }
}
