/** Whether one side's copy of an object is sound. */
import { hasCode } from '../../errors.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { openStoredSegment } from '../../repository/open-segment.ts'
import { findDamage } from '../../segment/damage-report.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { readMirrored } from './mirrored-document.ts'
import { type Listed, mirroredKind } from './object-kind.ts'

/** `gone`: it was deleted meanwhile. */
export type Soundness = { readonly is: 'sound' | 'gone' } | { readonly is: 'damaged'; readonly problem: string }

/** @throws STORAGE_*, ABORTED */
export async function checkSegment(
  storage: BackupStorage,
  segment: SegmentInfo,
  options: OperationOptions,
): Promise<Soundness> {
  return await judged(storage, segment.key, options, async () => {
    const reader = await openStoredSegment(storage, segment, options)
    const [first] = await findDamage(reader.checkStored(options))
    return first === undefined ? { is: 'sound' } : { is: 'damaged', problem: first.message }
  })
}

/** @throws STORAGE_*, ABORTED */
export async function checkObject(
  storage: BackupStorage,
  database: string,
  object: Listed,
  options: OperationOptions,
): Promise<Soundness> {
  const is = mirroredKind(database, object)
  if (is?.kind === 'segment') return await checkSegment(storage, is.segment, options)
  return await judged(storage, object.key, options, async () => ({
    is: (await readMirrored(storage, database, object.key, options)) === undefined ? 'gone' : 'sound',
  }))
}

/** What is not there any more is no damage. */
export async function judged(
  storage: BackupStorage,
  key: string,
  options: OperationOptions,
  check: () => Promise<Soundness>,
): Promise<Soundness> {
  try {
    return await check()
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
    if ((await storage.head(key, options)) === undefined) return { is: 'gone' }
    return { is: 'damaged', problem: error.message }
  }
}
