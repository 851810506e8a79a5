import { readSync } from 'node:fs'
import { hostIsBigEndian } from './checksum.ts'
import { backfilledFrames, intactHeader, type LogHorizon, parseHorizon, walIndexBytes } from './wal-index.ts'

/** After the count of backfilled frames, five read marks and eight bytes of locks. */
const attemptedOffset = walIndexBytes + 5 * 4 + 8

/** What the wal-index says at one moment. */
export interface IndexReading {
  readonly header: Buffer
  readonly horizon: LogHorizon
  /** Frames that checkpoints have copied into the database. */
  readonly backfilled: number
}

/**
 * Undefined while a writer is at work on the header, or if one died there.
 *
 * The count of backfilled frames is read *before* the header, because a reset writes the header first and then clears the
 * count: so, if the header is the same as an earlier one, the count belongs to the same log and not to the one after it.
 */
export function readIndex(descriptor: number): IndexReading | undefined {
  const bytes = Buffer.alloc(walIndexBytes)
  const countOffset = walIndexBytes - 4
  if (readSync(descriptor, bytes, countOffset, 4, countOffset) < 4) return undefined
  const backfilled = backfilledFrames(bytes)
  if (readSync(descriptor, bytes, 0, countOffset, 0) < countOffset) return undefined
  const header = intactHeader(bytes)
  return header && { header, horizon: parseHorizon(header), backfilled }
}

/**
 * Up to which frame checkpoints have begun to copy the present log into the database: set before the first page is written
 * (`nBackfillAttempted`), and to the log's end when the index was made anew. 0: nothing of this log has been copied.
 */
export function readCopyingBegun(descriptor: number): number {
  const bytes = Buffer.alloc(4)
  readSync(descriptor, bytes, 0, 4, attemptedOffset)
  return hostIsBigEndian ? bytes.readUInt32BE() : bytes.readUInt32LE()
}
