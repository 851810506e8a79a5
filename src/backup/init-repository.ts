import { linkStorage } from '../engine/storage-link.ts'
import { hasCode } from '../errors.ts'
import { Repository } from '../repository/repository.ts'
import type { BackupStorage, OperationOptions, StorageCapabilities } from '../storage/storage.ts'

/** A repository, as made. */
export interface RepositoryDescription {
  /** Random, for ever the same. */
  readonly id: string
  /** Where it is, without secrets. */
  readonly url: string
  /** ISO 8601. */
  readonly createdAt: string
  /** What its storage was found able to do. */
  readonly capabilities: StorageCapabilities
}

/**
 * Makes a repository, after probing what the storage can do. A place left half-made by an interrupted call is completed.
 *
 * @param place a path or URL, or a storage of your own
 * @throws REPOSITORY_EXISTS, USAGE, DISK_FULL, STORAGE_*, ABORTED
 * @example
 * import { initRepository } from 'holdfast'
 * const { id, url } = await initRepository('./backups')
 */
export async function initRepository(
  place: string | BackupStorage,
  options: OperationOptions = {},
): Promise<RepositoryDescription> {
  await using link = await linkStorage(place)
  const { id, url, createdAt, capabilities } = await Repository.init(link.storage, options)
  return { id, url, createdAt, capabilities }
}

/** Opens the repository, or makes it if there is none. @throws FORMAT_TOO_NEW, INTEGRITY, STORAGE_*, ABORTED */
export async function openOrInit(storage: BackupStorage, options: OperationOptions): Promise<Repository> {
  try {
    return await Repository.open(storage, options)
  } catch (thrown) {
    if (!hasCode(thrown, 'REPOSITORY_NOT_FOUND')) throw thrown
  }
  try {
    return await Repository.init(storage, options)
  } catch (thrown) {
    // Somebody else made it in the meantime.
    if (!hasCode(thrown, 'REPOSITORY_EXISTS')) throw thrown
    return await Repository.open(storage, options)
  }
}
