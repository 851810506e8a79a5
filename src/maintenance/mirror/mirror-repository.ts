import { parseOptions } from '../../engine/parse-options.ts'
import { runInEngine } from '../../engine/run-in-engine.ts'
import { linkStorage } from '../../engine/storage-link.ts'
import { toHoldfastError } from '../../errors.ts'
import { Repository } from '../../repository/repository.ts'
import { openStorage } from '../../storage/open-storage.ts'
import type { BackupStorage } from '../../storage/storage.ts'
import { type ProgressReport, RateMeter } from '../../util/rate-meter.ts'
import { type MirrorSignatures, mirrorApi, mirrorRequest } from './engine-api.ts'
import type { MirrorOptions, MirrorReport } from './mirror-options.ts'
import { mirrorTo } from './mirror-to.ts'
import { type PromotedMirror, type PromoteOptions, promoteStorage } from './promote.ts'

/** Progress phases: `copy` (bytes of segments), `documents` and `delete` (objects). */
export interface MirrorRepositoryOptions extends Omit<MirrorOptions, 'onProgress'> {
  /** A path or URL, or a storage of your own. */
  readonly repository: string | BackupStorage
  /** Where the mirror is, or is to be: a path or URL, or a storage of your own. */
  readonly to: string | BackupStorage
  readonly onProgress?: ((progress: ProgressReport) => void) | undefined
  /** The engine process; see `EngineSettings`. */
  readonly engine?: { readonly execPath?: string | undefined; readonly graceMs?: number | undefined } | undefined
}

const program = { beside: import.meta.url, name: 'engine', api: mirrorApi }

/**
 * Brings a mirror up to date, or begins one in an empty place, in an engine process unless `to` is a storage of the application's own;
 * nothing is recorded of it.
 * @throws MIRROR if the place is something else; REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, LEASE_HELD, INTEGRITY, DISK_FULL, STORAGE_*,
 * ENGINE_DIED, ABORTED
 */
export async function mirrorRepository(options: MirrorRepositoryOptions): Promise<MirrorReport> {
  const { repository, to, signal, onProgress, engine, ...rest } = options
  const request = parseOptions(mirrorRequest, rest)
  const meter = new RateMeter()
  const onEvent: ((progress: MirrorSignatures['mirror']['event']) => void) | undefined =
    onProgress && ((progress) => onProgress(meter.measure(progress)))
  await using link = await linkStorage(repository)
  await using target = await linkStorage(to)
  try {
    if (target.address.kind === 'host') {
      const source = await Repository.open(link.storage, { signal })
      return await mirrorTo(source, target.storage, { ...request, signal, onProgress: onEvent })
    }
    const input = { source: link.address, to: target.address.location, request }
    const running = { ...engine, handlers: link.handlers, signal, onEvent }
    return await runInEngine<MirrorSignatures, 'mirror'>(program, 'mirror', input, running)
  } catch (thrown) {
    throw toHoldfastError(thrown, target.storage.url)
  }
}

/**
 * Makes a mirror the repository; nothing is recorded of it.
 * @throws MIRROR if it is no mirror, or only a part of one; LEASE_HELD, INTEGRITY, STORAGE_*, ABORTED
 */
export async function promoteMirror(
  place: string | BackupStorage,
  options: PromoteOptions = {},
): Promise<PromotedMirror> {
  if (typeof place !== 'string') return await promoteStorage(place, options)
  const storage = await openStorage(place)
  try {
    return await promoteStorage(storage, options)
  } finally {
    await storage.close()
  }
}
