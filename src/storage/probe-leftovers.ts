import { hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions } from './storage.ts'

const prefix = 'probe-'
const names = ['basic', 'create', 'replace', 'clock'] as const
const leftover = new RegExp(`^${prefix}[0-9a-f]{16}-(${names.join('|')})$`)

/** No probe takes so long, and no two clocks differ by so much. */
const abandonedMs = 6 * 3_600_000

/** @param random 8 bytes: each probe has names of its own */
export function probeKey(random: Uint8Array, name: (typeof names)[number]): string {
  return `${prefix}${Buffer.from(random).toString('hex')}-${name}`
}

/** Whether a probe made it: of an `init` that was killed, it is no file of somebody else's. */
export function isProbeKey(key: string): boolean {
  return leftover.test(key)
}

/**
 * Deletes what probes left that were killed, hours later. Where nothing may be deleted, it stays: it does no harm.
 * @param now milliseconds since 1970
 * @throws STORAGE_TRANSIENT, STORAGE_THROTTLED, ABORTED
 */
export async function removeProbeLeftovers(
  storage: BackupStorage,
  now: number,
  options: OperationOptions = {},
): Promise<void> {
  try {
    for await (const { key, modifiedAt } of storage.list(prefix, options))
      if (isProbeKey(key) && now - modifiedAt > abandonedMs) await storage.delete(key, options)
  } catch (error) {
    if (!hasCode(error, 'STORAGE_DENIED')) throw error
  }
}
