import { addBytes, addWords, hostIsBigEndian, type LogChecksum, matchesStored } from '../log/checksum.ts'
import { frameHeaderBytes, frameOffset, type LogFile, logHeaderBytes, sameSalts } from '../log/page-map.ts'
import { readFully } from '../log/read-fully.ts'
import type { LogPlace } from './log-cursor.ts'

const chunkBytes = 1 << 20

interface End {
  readonly salts: Buffer
  readonly pageSize: number
  /** Running checksum at the last frame. */
  readonly checksum: LogChecksum
}

/** A frame that the former log holds beyond our place. */
export interface FormerFrame {
  readonly frame: number
  readonly page: number
  readonly value: Uint8Array
  /** Pages of the database, if the frame ends a transaction; else 0. */
  readonly commit: number
}

/**
 * What is left, beyond our place, of a log that was reset since: a reset leaves the file as it is, and the log that follows
 * writes over it from the first frame on.
 *
 * @param onFrame is given every frame that follows ours, by its salts and by the checksum that runs through all of them;
 * `value` is valid until it returns
 * @returns the byte order of the checksums, if that is all there ever was
 */
export async function readFormerFrames(
  log: LogFile,
  from: LogPlace,
  pageSize: number,
  onFrame: (frame: FormerFrame) => void,
): Promise<{ readonly bigEndian: boolean } | undefined> {
  const header = await read(log, 0, logHeaderBytes)
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
  for (let frame = from.frame + 1; ; ) {
    const chunk = await read(log, frameOffset(frame, pageSize), framesAtOnce * frameBytes)
    const count = Math.floor(chunk.length / frameBytes)
    const whole = chunk.subarray(0, count * frameBytes)
    const ordered = bigEndian === hostIsBigEndian ? whole : Buffer.from(Uint8Array.from(whole).buffer).swap32()
    const words = new Int32Array(ordered.buffer, ordered.byteOffset, ordered.length / 4)
    for (let start = 0; start < count * frameBytes; start += frameBytes, frame++) {
      const before = { ...sum }
      addWords(sum, words, start / 4, start / 4 + 2)
      addWords(sum, words, (start + frameHeaderBytes) / 4, (start + frameBytes) / 4)
      if (!sameSalts(chunk, start, from.salts) || !matchesStored(sum, chunk, start + 16)) {
        const end = { salts: from.salts, pageSize, checksum: before }
        return (await isEnd(log, frame - 1, end)) ? { bigEndian } : undefined
      }
      const value = chunk.subarray(start + frameHeaderBytes, start + frameBytes)
      onFrame({ frame, page: chunk.readUInt32BE(start), value, commit: chunk.readUInt32BE(start + 4) })
    }
    if (count < framesAtOnce) {
      return (await isEnd(log, frame - 1, { salts: from.salts, pageSize, checksum: sum })) ? { bigEndian } : undefined
    }
  }
}

/**
 * Whether the former log ended after `last`, what follows being no frame of it. The last one must still be there: then the file was
 * not cut short, and since the present log is written in order, nothing of it stood beyond when that was read.
 */
async function isEnd(log: LogFile, last: number, { salts, pageSize, checksum }: End): Promise<boolean> {
  if (last === 0) return (await read(log, 0, logHeaderBytes)).subarray(16, 24).equals(salts)
  const frame = await read(log, frameOffset(last, pageSize), frameHeaderBytes)
  return frame.length === frameHeaderBytes && sameSalts(frame, 0, salts) && matchesStored(checksum, frame, 16)
}

async function read(log: LogFile, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, await readFully(log.descriptor, bytes, position))
}
