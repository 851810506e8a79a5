import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { MirrorReport } from '../../maintenance/mirror/mirror-options.ts'
import { mirrorRepository } from '../../maintenance/mirror/mirror-repository.ts'
import { formatDuration } from '../../util/format-duration.ts'
import type { MirrorConfig } from '../config/config.ts'
import { leaseWaitMs, type Waiting } from './in-turn.ts'

/** Each try takes a place from others, and starts a process. */
const firstPauseMs = 5_000
const longestPauseMs = 60_000

export interface MirrorJobOptions {
  /** Only this one; default: all of the repository. */
  readonly database?: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  readonly waiting: Waiting
  readonly signal: AbortSignal
}

/**
 * Brings a mirror up to date, in a process of its own. Where somebody else mirrors to the same place, their end is waited for.
 * @throws as `mirrorRepository`; LEASE_HELD, with who has it, if that one does not let go
 */
export async function mirror(
  { address, storage }: Pick<StorageLink, 'address' | 'storage'>,
  { to, graceMs, maxDelete }: Pick<MirrorConfig, 'to' | 'graceMs' | 'maxDelete'>,
  { database, now, waiting, signal }: MirrorJobOptions,
): Promise<MirrorReport> {
  const repository = address.kind === 'location' ? address.location : storage
  const databases = database === undefined ? undefined : [database]
  for (let waitedMs = 0; ; ) {
    try {
      return await mirrorRepository({ repository, to, databases, graceMs, maxDelete, now, signal })
    } catch (thrown) {
      if (!hasCode(thrown, 'LEASE_HELD')) throw thrown
      const { message, hint, object } = toHoldfastError(thrown)
      if (waitedMs >= leaseWaitMs) {
        const problem = `${message} It did not let go for ${formatDuration(leaseWaitMs)}.`
        throw new HoldfastError('LEASE_HELD', problem, { object, hint })
      }
      const pauseMs = Math.min(Math.max(firstPauseMs, waitedMs), longestPauseMs, leaseWaitMs - waitedMs)
      await pause(message, pauseMs, waiting)
      waitedMs += pauseMs
    }
  }
}

async function pause(reason: string, pauseMs: number, { aside, onWait, sleep }: Waiting): Promise<void> {
  try {
    await aside(async (stopping) => {
      onWait(reason)
      await sleep(pauseMs, stopping)
    })
  } finally {
    onWait(undefined)
  }
}

export function noMirrors(database: string): HoldfastError {
  return new HoldfastError('USAGE', `There are no "mirrors", so ${database} is mirrored to nowhere.`, {
    object: database,
    hint: 'Name a place in "mirrors" of the configuration.',
  })
}
