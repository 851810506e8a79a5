import { localFiles } from '../../capture/spool/local-files.ts'
import { knownStateFolderId, lockStateFolder } from '../../capture/state-folder.ts'
import { hasCode } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { freeLease } from '../../repository/free-lease.ts'
import type { OperationOptions } from '../../storage/storage.ts'

/** `freed`: now; `free`: it was already, or is another's; `in-use`: somebody works with the folder. */
export type LetGo = 'freed' | 'free' | 'in-use'

/**
 * Lets go of a database that this agent does not look after any more, should a former run have been killed before it could.
 * @param folder in which it kept what waited of that database
 * @throws STORAGE_*, DISK_FULL, ACCESS_DENIED, ABORTED
 */
export async function freeOwnLease(
  database: DatabaseRepository,
  folder: string,
  { signal }: OperationOptions = {},
): Promise<LetGo> {
  const home = await knownStateFolderId(localFiles, folder)
  if (home === undefined) return 'free'
  try {
    using _ = await lockStateFolder(localFiles, folder)
    return (await freeLease(database, { home, signal })) ? 'freed' : 'free'
  } catch (error) {
    // It is followed by hand, or is just being stopped.
    if (hasCode(error, 'LEASE_HELD')) return 'in-use'
    throw error
  }
}
