import { statfs } from 'node:fs/promises'
import { toHoldfastError } from '../../../errors.ts'
import { formatBytes } from '../../../util/format-bytes.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** Of the file system on which a path lies. */
export interface DiskSpace {
  /** What lies there, for people: `the repository`, `the state folder`. */
  readonly what: string
  readonly path: string
  /** Bytes that this user may still write, and bytes in all. */
  readonly freeBytes: number
  readonly totalBytes: number
}

const gibibyte = 1024 ** 3
/** Nearly full is what is below both: a tenth of a large disk is plenty. */
const warning = { part: 0.1, bytes: 5 * gibibyte }
const critical = { part: 0.02, bytes: gibibyte }

/** @throws ACCESS_DENIED, INTERNAL when the system does not tell */
export async function readDiskSpace(what: string, path: string): Promise<DiskSpace> {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return { what, path, freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch (error) {
    throw toHoldfastError(error, path)
  }
}

export function observeDisk({ what, path, freeBytes, totalBytes }: DiskSpace): readonly Observation[] {
  const key = conditionKey('disk', path)
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
