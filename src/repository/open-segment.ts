import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { openSegment, type SegmentReader } from '../segment/read-segment.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'

/**
 * Opens a segment and makes sure that it is the one its name promises.
 * @throws INTEGRITY also when the object is missing, FORMAT_TOO_NEW, WRONG_KEY, STORAGE_*
 */
export async function openStoredSegment(
  storage: Pick<BackupStorage, 'get'>,
  info: SegmentInfo,
  options: OperationOptions = {},
): Promise<SegmentReader> {
  let reader: SegmentReader
  try {
    reader = await openSegment(
      {
        size: info.bytes,
        read: (offset, length, { signal, transient } = {}) =>
          storage.get(info.key, { offset, length, transient, signal: signal ?? options.signal }),
      },
      { object: info.key, signal: options.signal },
    )
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) throw missingSegment(info, error)
    throw toHoldfastError(error, info.key)
  }
  const { header, end } = reader
  const same =
    header.kind === info.kind &&
    header.from === info.from &&
    header.epoch === info.epoch &&
    header.firstTime === info.firstTime &&
    end.to === info.to &&
    end.lastTime === info.lastTime
  if (!same) {
    throw new HoldfastError(
      'INTEGRITY',
      `The object ${info.key} is another segment than its name says: (${header.from}, ${end.to}] of kind ${header.kind}.`,
      {
        object: info.key,
        hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
      },
    )
  }
  return reader
}

function missingSegment(info: SegmentInfo, cause: HoldfastError): HoldfastError {
  return new HoldfastError('INTEGRITY', `The segment ${info.key} is missing from the repository.`, {
    object: info.key,
    cause,
    hint: 'Run "holdfast verify" to see which backups need it.',
  })
}
