import type { Ending } from '../agent/journal/ending.ts'
import type { RecordingOptions } from '../backup/manager-options.ts'
import { linkStorage, type StorageLink } from '../engine/storage-link.ts'
import type { BackupStorage } from '../storage/storage.ts'
import { openRecorder, type RecordedFacts } from './journal/recorder.ts'

export interface RecordedWork<T> {
  readonly repository: string | BackupStorage
  readonly options: RecordingOptions & { readonly engine?: { readonly execPath?: string | undefined } | undefined }
  /** Undefined: nothing is recorded, as for a dry run. */
  readonly facts: RecordedFacts | undefined
  readonly work: () => Promise<T>
  readonly endingOf?: ((result: T) => Ending) | undefined
}

/** Does one piece of work on a repository, and records it. @throws USAGE for a place that makes no sense, and what the work throws */
export async function recordedOn<T>({ repository, options, facts, work, endingOf }: RecordedWork<T>): Promise<T> {
  await using link: StorageLink = await linkStorage(repository)
  await using recorder = openRecorder(link, options, options.engine)
  return await recorder.recorded(facts, work, endingOf)
}
