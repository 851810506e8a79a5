import { join } from 'node:path'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { userStateFolder } from '../util/user-state-folder.ts'
import type { LocalFiles } from './spool/local-files.ts'

/** Where the spool and the position of a followed database lie unless told otherwise. */
export function defaultStateFolder(
  repositoryId: string,
  database: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(userStateFolder(environment, platform), repositoryId, database)
}

/**
 * Makes the folder, and keeps every other capture out of it: two would take one another's segments for their own, also if their
 * leases are of different repositories. A process that died keeps nobody out.
 * @throws LEASE_HELD, ACCESS_DENIED, DISK_FULL
 */
export async function lockStateFolder(files: LocalFiles, folder: string): Promise<Disposable> {
  const lock = await taken(files, folder)
  if (lock !== undefined) return lock
  throw new HoldfastError('LEASE_HELD', `Another capture is at work with the state folder ${folder}.`, {
    object: folder,
    hint: 'Stop the other one, or give this one a folder of its own (--state).',
  })
}

async function taken(files: LocalFiles, folder: string): Promise<Disposable | undefined> {
  try {
    await files.makeFolder(folder)
    return await files.lock(join(folder, 'lock'))
  } catch (thrown) {
    const error = toHoldfastError(thrown, folder)
    if (!hasCode(error, 'STORAGE_DENIED', 'STORAGE_TRANSIENT')) throw error
    throw new HoldfastError('ACCESS_DENIED', `The state folder ${folder} cannot be used. ${error.message}`, {
      object: folder,
      cause: error,
      hint: 'Check its owner and mode, and that its file system is mounted for writing; or name another folder with --state.',
    })
  }
}
