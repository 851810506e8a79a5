import { addBytes, hostIsBigEndian } from './checksum.ts'

/**
 * The start of a `-shm` file: two copies of the wal-index header, then checkpoint progress. All fields are in the host's
 * byte order. Source: https://sqlite.org/walformat.html#the_wal_index_header
 */
export interface LogHorizon {
  /** The last frame that is committed; 0 for an empty log. */
  readonly lastFrame: number
  /** Pages of the database after that frame; 0 where nothing was written since the log was made. */
  readonly pageCount: number
  readonly pageSize: number
  /** The salts of the log's frames, as they stand in the log. */
  readonly salts: Buffer
  /** Cumulative checksum at {@link lastFrame}. */
  readonly checksum: { readonly first: number; readonly second: number }
}

export const walIndexHeaderBytes = 48
/** Both headers, and the count of frames that checkpoints have copied into the database. */
export const walIndexBytes = 2 * walIndexHeaderBytes + 4

const version = 3007000

/** The header's bytes, if both copies are equal and whole; a writer may be at work on them. */
export function intactHeader(start: Buffer): Buffer | undefined {
  if (start.length < walIndexBytes) return undefined
  const header = start.subarray(0, walIndexHeaderBytes)
  if (!header.equals(start.subarray(walIndexHeaderBytes, 2 * walIndexHeaderBytes))) return undefined
  const isInitialised = header.readUInt8(12) !== 0
  if (!isInitialised || word(header, 0) !== version) return undefined
  const sum = { first: 0, second: 0 }
  addBytes(sum, header.subarray(0, 40), hostIsBigEndian)
  const isWhole = sum.first >>> 0 === word(header, 40) && sum.second >>> 0 === word(header, 44)
  return isWhole ? header : undefined
}

export function backfilledFrames(start: Buffer): number {
  return word(start, 2 * walIndexHeaderBytes)
}

export function parseHorizon(header: Buffer): LogHorizon {
  const size = hostIsBigEndian ? header.readUInt16BE(14) : header.readUInt16LE(14)
  return {
    lastFrame: word(header, 16),
    pageCount: word(header, 20),
    pageSize: size === 1 ? 65536 : size,
    salts: Buffer.from(header.subarray(32, 40)),
    checksum: { first: word(header, 24) | 0, second: word(header, 28) | 0 },
  }
}

function word(bytes: Buffer, offset: number): number {
  return hostIsBigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset)
}
