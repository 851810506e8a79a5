import { linkStorage } from '../engine/storage-link.ts'
import { hasCode } from '../errors.ts'
import { KnownPlaces, openKnown } from '../repository/known-places.ts'
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
 * Makes a repository, after probing what the storage can do; nothing is recorded of it.
 * @throws REPOSITORY_EXISTS, USAGE, DISK_FULL, STORAGE_*, ABORTED
 */
export async function initRepository(
  place: string | BackupStorage,
  options: OperationOptions = {},
): Promise<RepositoryDescription> {
  await using link = await linkStorage(place)
  const repository = await Repository.init(link.storage, options)
  await new KnownPlaces().note(repository)
  const { id, url, createdAt, capabilities } = repository
  return { id, url, createdAt, capabilities }
}

/**
 * Opens the repository, or makes it if there is none, and none was known to be there before.
 * @param making runs what makes it, and may do something before and after
 * @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, INTEGRITY, STORAGE_*, ABORTED
 */
export async function openOrInit(
  storage: BackupStorage,
  options: OperationOptions,
  making: (work: () => Promise<Repository>) => Promise<Repository> = (work) => work(),
): Promise<Repository> {
  const known = new KnownPlaces()
  try {
    return await openKnown(storage, options, known)
  } catch (thrown) {
    if (!hasCode(thrown, 'REPOSITORY_NOT_FOUND') || (await known.idAt(storage.url)) !== undefined) throw thrown
  }
  try {
    const repository = await making(() => Repository.init(storage, options))
    await known.note(repository)
    return repository
  } catch (thrown) {
    // Somebody else made it in the meantime.
    if (!hasCode(thrown, 'REPOSITORY_EXISTS')) throw thrown
    return await openKnown(storage, options, known)
  }
}
