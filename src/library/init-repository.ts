import { initRepository as init, type RepositoryDescription } from '../backup/init-repository.ts'
import type { EngineSettings, RecordingOptions } from '../backup/manager-options.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { recordedOn } from './recorded-on.ts'

export interface InitRepositoryOptions extends OperationOptions, RecordingOptions {
  /** The process that writes the journal. */
  readonly engine?: EngineSettings | undefined
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
  options: InitRepositoryOptions = {},
): Promise<RepositoryDescription> {
  const { signal } = options
  return await recordedOn({
    repository: place,
    options,
    facts: { kind: 'init' },
    work: () => init(place, { signal }),
  })
}
