/** The documents that are replaced from time to time, and brought up to date on the mirror. */
import { isDeepStrictEqual } from 'node:util'
import { hasCode } from '../../errors.ts'
import { mergeDrills, readDrills } from '../../repository/drill-record.ts'
import { drillsKey, retentionKey } from '../../repository/layout.ts'
import { replaceDocument } from '../../repository/replace-document.ts'
import type { RetentionRecord } from '../../repository/retention-record.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { readMirrored } from './mirrored-document.ts'
import { putCondition, type Sides } from './sides.ts'

export interface RetentionCopy {
  /** What the source and the mirror had; one that is not there is left out. */
  readonly records: readonly RetentionRecord[]
  readonly isChanged: boolean
}

/** @throws INTEGRITY if the source's cannot be read; FORMAT_TOO_NEW, STORAGE_*, ABORTED */
export async function copyRetention(
  { source, mirror }: Sides,
  { dryRun, ...options }: OperationOptions & { readonly dryRun: boolean },
): Promise<RetentionCopy> {
  const key = retentionKey(source.name)
  const wanted = await readMirrored(source.storage, source.name, key, options)
  const before = await mirror.storage.head(key, options)
  const former =
    before === undefined ? undefined : await orDamaged(() => readMirrored(mirror.storage, mirror.name, key, options))
  const records = [wanted?.retention, former?.retention].filter((record) => record !== undefined)
  if (wanted === undefined || (former !== undefined && Buffer.compare(wanted.bytes, former.bytes) === 0))
    return { records, isChanged: false }
  if (!dryRun) await mirror.storage.put(key, wanted.bytes, { ...options, ...putCondition(mirror, before) })
  return { records, isChanged: true }
}

/**
 * Drills on the mirror are kept beside those of the source.
 * @param backups ids of those on the mirror
 * @param now milliseconds since 1970
 * @throws STORAGE_*, ABORTED
 */
export async function copyDrills(
  { source, mirror }: Sides,
  backups: ReadonlySet<string>,
  { dryRun, now, ...options }: OperationOptions & { readonly dryRun: boolean; readonly now: number },
): Promise<boolean> {
  const wanted = await readDrills(source, { ...options, now })
  if (wanted.length === 0) return false
  let isChanged = false
  const next = async () => {
    const former = await readDrills(mirror, { ...options, now })
    const drills = mergeDrills(wanted, former, backups, now)
    isChanged = !isDeepStrictEqual(drills, former)
    return isChanged && !dryRun ? { drills } : undefined
  }
  await replaceDocument(mirror, 'drills', drillsKey(mirror.name), next, options)
  return isChanged
}

/** What is damaged on the mirror is replaced like what is not there. */
async function orDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) return undefined
    throw error
  }
}
