import { HoldfastError } from '../../../errors.ts'
import { throwIfAborted } from '../../../util/abort.ts'
import { addBytes, addWords, hostIsBigEndian, type LogChecksum, matchesStored } from './checksum.ts'
import { readFully } from './read-fully.ts'
import type { LogHorizon } from './wal-index.ts'

export const logHeaderBytes = 32
export const frameHeaderBytes = 24

/** Where the newest committed version of each page stands in the log. */
export interface PageMap {
  /** Frame of page `p` at index `p`, from 1; 0 for a page that the log does not hold. */
  readonly frames: Uint32Array
  readonly salts: Buffer
  /** The byte order of its checksums. */
  readonly bigEndian: boolean
}

export function frameOffset(frame: number, pageSize: number): number {
  return logHeaderBytes + (frame - 1) * (frameHeaderBytes + pageSize)
}

/**
 * Reads the log up to the horizon and proves every frame by its salts and by the checksum that runs through all of them.
 * The caller's read mark must keep the log from being reset meanwhile; that it did is checked again at the end.
 *
 * @throws DATABASE_DAMAGED if the log does not hold what its index says; DATABASE_CHANGED if it was reset; ABORTED
 */
export async function mapLog(log: LogFile, horizon: LogHorizon, signal?: AbortSignal): Promise<PageMap> {
  const scan = await beginScan(log, horizon)
  const frameBytes = frameHeaderBytes + horizon.pageSize
  const framesAtOnce = Math.max(1, Math.floor((1 << 20) / frameBytes))
  for (let frame = 1; frame <= horizon.lastFrame; frame += framesAtOnce) {
    throwIfAborted(signal)
    const count = Math.min(framesAtOnce, horizon.lastFrame - frame + 1)
    const chunk = Buffer.allocUnsafeSlow(count * frameBytes)
    const got = await readFully(log.descriptor, chunk, frameOffset(frame, horizon.pageSize))
    if (got < chunk.length) throw damaged(log, `it ends within frame ${frame + Math.floor(got / frameBytes)}`)
    takeFrames(log, scan, horizon, chunk, frame)
  }
  if (scan.sum.first !== horizon.checksum.first || scan.sum.second !== horizon.checksum.second) {
    throw damaged(log, 'its checksum differs from the one in the wal-index')
  }
  if (scan.pageCount !== horizon.pageCount) throw damaged(log, 'its last commit differs from the one in the wal-index')
  await readLogHeader(log, horizon)
  return { frames: scan.frames, salts: horizon.salts, bigEndian: scan.bigEndian }
}

export interface LogFile {
  readonly path: string
  readonly descriptor: number
}

interface Scan {
  readonly sum: LogChecksum
  readonly bigEndian: boolean
  readonly frames: Uint32Array
  /** Database size that the last commit recorded. */
  pageCount: number
}

async function beginScan(log: LogFile, horizon: LogHorizon): Promise<Scan> {
  const header = await readLogHeader(log, horizon)
  const bigEndian = (header.readUInt32BE(0) & 1) === 1
  const sum = { first: 0, second: 0 }
  addBytes(sum, header.subarray(0, 24), bigEndian)
  if (!matchesStored(sum, header, 24)) throw damaged(log, 'the checksum of its header is wrong')
  return { sum, bigEndian, frames: new Uint32Array(horizon.pageCount + 1), pageCount: 0 }
}

async function readLogHeader(log: LogFile, horizon: LogHorizon): Promise<Buffer> {
  const header = Buffer.alloc(logHeaderBytes)
  const got = await readFully(log.descriptor, header, 0)
  if (got < header.length) throw damaged(log, 'it is shorter than its header')
  const magic = header.readUInt32BE(0)
  if ((magic & ~1) >>> 0 !== 0x377f0682 || header.readUInt32BE(4) !== 3007000) {
    throw new HoldfastError('DATABASE_UNSUPPORTED', `${log.path} is not a write-ahead log that this version knows.`, {
      object: log.path,
    })
  }
  if (header.readUInt32BE(8) !== horizon.pageSize) throw damaged(log, 'its page size is not that of the wal-index')
  if (!header.subarray(16, 24).equals(horizon.salts)) throw logWasReset(log.path)
  return header
}

function takeFrames(log: LogFile, scan: Scan, horizon: LogHorizon, chunk: Buffer, firstFrame: number): void {
  const frameBytes = frameHeaderBytes + horizon.pageSize
  const frameWords = frameBytes / 4
  const words = hostWords(chunk, scan.bigEndian)
  for (let index = 0; index * frameBytes < chunk.length; index++) {
    const frame = firstFrame + index
    const start = index * frameBytes
    if (!sameSalts(chunk, start, horizon.salts)) throw damaged(log, `frame ${frame} has the salts of another log`)
    addWords(scan.sum, words, index * frameWords, index * frameWords + 2)
    addWords(scan.sum, words, index * frameWords + frameHeaderBytes / 4, (index + 1) * frameWords)
    if (!matchesStored(scan.sum, chunk, start + 16)) throw damaged(log, `the checksum of frame ${frame} is wrong`)
    const page = chunk.readUInt32BE(start)
    const commit = chunk.readUInt32BE(start + 4)
    // A page beyond the horizon's size was cut off by a later commit. (Growing again writes it again.)
    if (page < scan.frames.length) scan.frames[page] = frame
    if (commit > 0) scan.pageCount = commit
  }
}

/** The chunk's words in the host's byte order; a copy only where the log was made on a machine of the other order. */
function hostWords(chunk: Buffer, bigEndian: boolean): Int32Array {
  const bytes = bigEndian === hostIsBigEndian ? chunk : Buffer.from(Uint8Array.from(chunk).buffer).swap32()
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

export function sameSalts(frames: Buffer, frameStart: number, salts: Buffer): boolean {
  return (
    frames.readUInt32BE(frameStart + 8) === salts.readUInt32BE(0) &&
    frames.readUInt32BE(frameStart + 12) === salts.readUInt32BE(4)
  )
}

function damaged(log: LogFile, what: string): HoldfastError {
  return new HoldfastError('DATABASE_DAMAGED', `The write-ahead log ${log.path} is damaged: ${what}.`, {
    object: log.path,
    hint: 'Run PRAGMA integrity_check on the live database; a checkpoint by the application may save what is readable.',
  })
}

export function logWasReset(path: string): HoldfastError {
  return new HoldfastError('DATABASE_CHANGED', `The write-ahead log ${path} was reset while it was read.`, {
    object: path,
    hint: 'Run it again. If this happens twice, something writes to the database without regard to its locks.',
  })
}
