import { throwIfAborted } from '../../../util/abort.ts'
import { addBytes, addWords, hostIsBigEndian, type LogChecksum, matchesStored } from '../log/checksum.ts'
import { frameHeaderBytes, frameOffset, type LogFile, logHeaderBytes, sameSalts } from '../log/page-map.ts'
import { readFully } from '../log/read-fully.ts'
import type { LogPlace } from './log-cursor.ts'

const chunkBytes = 1 << 20

export interface LogFrame {
  readonly frame: number
  readonly page: number
  readonly value: Uint8Array
  /** Pages of the database, if the frame ends a transaction; else 0. */
  readonly commit: number
}

/** Frames that belong together, by their salts and by the checksum that runs through all of them. */
export interface FrameRun {
  readonly lastFrame: number
  /** Running checksum at the last frame. */
  readonly checksum: LogChecksum
  /** The byte order of the checksums. */
  readonly bigEndian: boolean
  /** The file ends within a frame that may be of this log. */
  readonly isCutOff: boolean
}

interface Wanted {
  readonly pageSize: number
  /** The last frame that is wanted; default: as far as it goes. */
  readonly until?: number
  readonly signal: AbortSignal | undefined
}

/**
 * Reads on from a place for as long as the frames are of that log.
 *
 * @param onFrame `value` is valid until it returns
 * @returns undefined if the place is the start of a log that the header does not tell of
 * @throws ABORTED
 */
export async function readFrameRun(
  log: LogFile,
  from: LogPlace,
  { pageSize, until = Number.POSITIVE_INFINITY, signal }: Wanted,
  onFrame: (frame: LogFrame) => void,
): Promise<FrameRun | undefined> {
  const header = await readLog(log, 0, logHeaderBytes)
  if (header.length < logHeaderBytes) return undefined
  const bigEndian = (header.readUInt32BE(0) & 1) === 1
  const sum = { first: from.checksum[0], second: from.checksum[1] }
  if (from.frame === 0) {
    // Where the log starts is told by its header, which the first frame of the next log replaces.
    if (!header.subarray(16, 24).equals(from.salts)) return undefined
    sum.first = 0
    sum.second = 0
    addBytes(sum, header.subarray(0, 24), bigEndian)
  }
  const frameBytes = frameHeaderBytes + pageSize
  const framesAtOnce = Math.max(1, Math.floor(chunkBytes / frameBytes))
  let frame = from.frame + 1
  while (frame <= until) {
    throwIfAborted(signal)
    const wanted = Math.min(framesAtOnce, until - frame + 1)
    const chunk = await readLog(log, frameOffset(frame, pageSize), wanted * frameBytes)
    const count = Math.floor(chunk.length / frameBytes)
    const whole = chunk.subarray(0, count * frameBytes)
    const ordered = bigEndian === hostIsBigEndian ? whole : Buffer.from(Uint8Array.from(whole).buffer).swap32()
    const words = new Int32Array(ordered.buffer, ordered.byteOffset, ordered.length / 4)
    for (let start = 0; start < count * frameBytes; start += frameBytes, frame++) {
      const checksum = { ...sum }
      addWords(sum, words, start / 4, start / 4 + 2)
      addWords(sum, words, (start + frameHeaderBytes) / 4, (start + frameBytes) / 4)
      if (!sameSalts(chunk, start, from.salts) || !matchesStored(sum, chunk, start + 16))
        return { lastFrame: frame - 1, checksum, bigEndian, isCutOff: false }
      const value = chunk.subarray(start + frameHeaderBytes, start + frameBytes)
      onFrame({ frame, page: chunk.readUInt32BE(start), value, commit: chunk.readUInt32BE(start + 4) })
    }
    if (count < wanted) {
      const isCutOff = mayStart(chunk.subarray(count * frameBytes), from.salts)
      return { lastFrame: frame - 1, checksum: sum, bigEndian, isCutOff }
    }
  }
  return { lastFrame: frame - 1, checksum: sum, bigEndian, isCutOff: false }
}

/** Whether these bytes may be the start of a frame of the log. */
function mayStart(rest: Buffer, salts: Buffer): boolean {
  return rest.length > 0 && (rest.length < 16 || sameSalts(rest, 0, salts))
}

/** As many of these bytes as the file has. */
export async function readLog(log: LogFile, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, await readFully(log.descriptor, bytes, position))
}
