import type { BackupResult } from '../../backup/backup-options.ts'
import { ControlClient } from '../../control/client.ts'
import { HoldfastError } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { knownLease } from '../../repository/known-lease.ts'
import type { LeaseDocument } from '../../repository/lease-document.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { processState } from '../../util/process-identity.ts'
import type { FollowedBackupOptions } from '../followed-backup/followed-database.ts'
import { captureControlApi } from './control-api.ts'
import { findFollower } from './find-follower.ts'

export interface FollowerSocketOptions extends OperationOptions {
  /** Told in sentences that the lease of the database is damaged, and what becomes of it. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** The socket of the process of this machine that follows a database; undefined if none does, as far as is known, or it takes no requests. */
export async function followerSocket(
  database: DatabaseRepository,
  { onWarning, signal }: FollowerSocketOptions = {},
): Promise<string | undefined> {
  let damage: HoldfastError | undefined
  const onDamage = (error: HoldfastError): void => {
    damage = error
  }
  const lease = await knownLease(database, { signal, onDamage })
  if (damage === undefined) return lease?.isHeld ? socketOf(lease.document) : undefined
  const socket = await findFollower(database, signal)
  const whoElse =
    socket === undefined
      ? `It is replaced: should another user, or another machine, follow ${database.name}, that begins anew.`
      : `The process that follows ${database.name} was found all the same, and replaces it.`
  onWarning?.(`${damage.message} ${whoElse}`)
  return socket
}

/** Where the holder of a lease can be asked from here: undefined for one of another machine, and one that takes no requests. */
export function socketOf({ control, owner }: Pick<LeaseDocument, 'control' | 'owner'>): string | undefined {
  return control === undefined || processState(owner) !== 'alive' ? undefined : control
}

export interface FollowedPlace {
  readonly database: DatabaseRepository
  /** Absolute path of the database that is meant. */
  readonly location: string
}

/**
 * Lets the process that follows a database make a backup of it.
 * @param parent is refused: what is followed has one line of logs to build on
 * @throws what the follower says; NAME_TAKEN if it follows another file under that name; NOT_RUNNING, ACCESS_DENIED, USAGE
 */
export async function backUpThroughFollower(
  socket: string,
  { database, location }: FollowedPlace,
  {
    parent,
    leaseWaitMs: _,
    signal,
    onProgress,
    ...request
  }: FollowedBackupOptions & {
    readonly parent?: string | undefined
    readonly leaseWaitMs?: number | undefined
  },
): Promise<BackupResult> {
  if (parent !== undefined) {
    throw new HoldfastError('USAGE', `${database.name} is being followed: a backup of it builds on its logs.`, {
      object: database.name,
      hint: 'Leave the parent out.',
    })
  }
  using follower = await ControlClient.connect(socket, captureControlApi, { signal, follows: database.name })
  const which = { repositoryId: database.repository.id, database: database.name, location }
  return await follower.call('backUp', { which, request }, { signal, onEvent: onProgress })
}
