import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import type { MirrorReport } from '../../maintenance/mirror/mirror-options.ts'
import { mirrorRepository } from '../../maintenance/mirror/mirror-repository.ts'
import type { MirrorConfig } from '../config/config.ts'

/** Where a command that was started by hand mirrors to the same place, its end is waited for. */
const leaseWaitMs = 10 * 60_000

export interface MirrorJobOptions {
  /** Only this one; default: all of the repository. */
  readonly database?: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  readonly signal: AbortSignal
}

/** Brings a mirror up to date, in a process of its own. */
export async function mirror(
  { address, storage }: Pick<StorageLink, 'address' | 'storage'>,
  { to, graceMs, maxDelete }: Pick<MirrorConfig, 'to' | 'graceMs' | 'maxDelete'>,
  { database, now, signal }: MirrorJobOptions,
): Promise<MirrorReport> {
  const repository = address.kind === 'location' ? address.location : storage
  const databases = database === undefined ? undefined : [database]
  return await mirrorRepository({ repository, to, databases, graceMs, maxDelete, leaseWaitMs, now, signal })
}

export function noMirrors(database: string): HoldfastError {
  return new HoldfastError('USAGE', `There are no "mirrors", so ${database} is mirrored to nowhere.`, {
    object: database,
    hint: 'Name a place in "mirrors" of the configuration.',
  })
}
