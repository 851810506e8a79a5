import { stat, statfs } from 'node:fs/promises'
import { toHoldfastError } from '../../../errors.ts'
import { formatBytes } from '../../../util/format-bytes.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** Bytes of a file system that this user may still write, and bytes in all. */
export interface DiskSize {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** Measures the file system on which a path lies. @throws ACCESS_DENIED, INTERNAL when the system does not tell */
export type MeasureDisk = (path: string) => Promise<DiskSize>

/** Of the file system on which a path lies. */
export interface DiskSpace extends DiskSize {
  /** What lies there, for people: `the repository`, `the state folder`. */
  readonly what: string
  readonly path: string
}

const gibibyte = 1024 ** 3
/** Nearly full is what is below both: a tenth of a large disk is plenty. */
const warning = { part: 0.1, bytes: 5 * gibibyte }
const critical = { part: 0.02, bytes: gibibyte }

export const measureDisk: MeasureDisk = async (path) => {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch (error) {
    throw toHoldfastError(error, path)
  }
}

/** Number of the file system on which a path lies. @throws ACCESS_DENIED, INTERNAL when the system does not tell */
export async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev
  } catch (error) {
    throw toHoldfastError(error, path)
  }
}

export function observeDisk({ what, path, freeBytes, totalBytes }: DiskSpace): readonly Observation[] {
  const key = diskKey(path)
  const isBelow = (limit: typeof warning) => freeBytes < limit.bytes && freeBytes < limit.part * totalBytes
  // A file system that gives no size cannot be judged.
  if (totalBytes === 0 || !isBelow(warning)) return [{ what: 'absent', key }]
  const condition = {
    key,
    kind: 'disk',
    severity: isBelow(critical) ? 'critical' : 'warning',
    summary: `The disk that holds ${what} is nearly full: ${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free (${path}).`,
    hint: 'Free some space: without it neither backups nor commits can be kept.',
    details: { path, freeBytes, totalBytes },
  } as const
  return [{ what: 'present', condition }]
}

export function diskKey(path: string): string {
  return conditionKey('disk', path)
}
