import { type DeleteBackupOptions, type DeletedBackup, deleteBackup } from '../../backup/delete-backup.ts'
import { ControlClient } from '../../control/client.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { type FollowerSocketOptions, followerSocket } from './back-up-through-follower.ts'
import { captureControlApi } from './control-api.ts'

/**
 * As `deleteBackup`; where a process of this machine follows the database, it is done there, under the lease that it holds.
 * @throws as `deleteBackup`, and NOT_RUNNING, ACCESS_DENIED
 */
export async function deleteAnywhere(
  database: DatabaseRepository,
  backup: string,
  options: DeleteBackupOptions & FollowerSocketOptions = {},
): Promise<DeletedBackup> {
  const { dryRun, force, signal, onWarning } = options
  const socket = dryRun === true ? undefined : await followerSocket(database, { signal, onWarning })
  if (socket === undefined) return await deleteBackup(database, backup, options)
  using follower = await ControlClient.connect(socket, captureControlApi, { signal, follows: database.name })
  const which = { repositoryId: database.repository.id, database: database.name }
  return await follower.call('deleteBackup', { which, backup, force }, { signal })
}
