import { runInEngine } from '../engine/run-in-engine.ts'
import { checkRunning } from '../engine/running-options.ts'
import { linkStorage, type StorageAddress } from '../engine/storage-link.ts'
import { toHoldfastError } from '../errors.ts'
import type { BackupStorage } from '../storage/storage.ts'
import { type ProgressReport, RateMeter } from '../util/rate-meter.ts'
import { type VerifySignatures, verifyApi } from './engine-api.ts'

const program = { beside: import.meta.url, name: 'engine', api: verifyApi }

export interface VerifyEngineOptions {
  /** Where the backups are kept: a path or URL, or a storage of your own. */
  readonly repository: string | BackupStorage
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ProgressReport) => void) | undefined
  /** The engine process; see `EngineSettings`. */
  readonly engine?: { readonly execPath?: string | undefined; readonly graceMs?: number | undefined } | undefined
}

/** Runs a function of the verification engine, which opens the repository by itself. @throws ENGINE_DIED, ABORTED, what the function throws */
export async function callVerifyEngine<Name extends keyof VerifySignatures>(
  name: Name,
  { repository, signal, onProgress, engine }: VerifyEngineOptions,
  inputFor: (storage: StorageAddress) => VerifySignatures[Name]['input'],
): Promise<VerifySignatures[Name]['output']> {
  checkRunning({ signal, onProgress })
  const meter = new RateMeter()
  await using link = await linkStorage(repository)
  const onEvent: ((progress: VerifySignatures[Name]['event']) => void) | undefined =
    onProgress && ((progress) => onProgress(meter.measure(progress)))
  try {
    const options = { ...engine, handlers: link.handlers, signal, onEvent }
    return await runInEngine<VerifySignatures, Name>(program, name, inputFor(link.address), options)
  } catch (thrown) {
    throw toHoldfastError(thrown, link.storage.url)
  }
}
