import { readSync } from 'node:fs'
import { lockPage } from '../../../util/lock-page.ts'
import { addBytes, addWords, hostIsBigEndian, type LogChecksum, matchesStored } from '../log/checksum.ts'
import { frameHeaderBytes, frameOffset, type LogFile, logHeaderBytes } from '../log/page-map.ts'
import { borrowMemory, drainBytes, returnMemory } from './drain-memory.ts'
import { LostContinuity } from './lost-continuity.ts'
import { FrameList, type Transaction } from './transaction.ts'

/** A place in the log: the end of a commit, or frame 0, the start. */
export interface LogPlace {
  /** Eight bytes, as they stand in the log. */
  readonly salts: Buffer
  readonly frame: number
  /** Running checksum at {@link frame}; without meaning at frame 0. */
  readonly checksum: readonly [number, number]
}

/** Frames in memory, as they stand in the log. */
interface Chunk {
  readonly bytes: Buffer
  /** The same in the host's byte order. */
  readonly words: Int32Array
  readonly first: number
  readonly count: number
  /** It begins with a transaction, so that the pages of all that were taken from it were hashed as they are in it. */
  readonly isHashed: boolean
}

/**
 * Reads transactions from the log, one after the other, and proves every frame by its salts and by the checksum that runs
 * through all of them. It never looks beyond the horizon that it is given.
 */
export class LogCursor {
  readonly pageSize: number
  readonly #log: LogFile
  readonly #frameBytes: number
  readonly #framesAtOnce: number
  #place: LogPlace
  /** The byte order of this log's checksums; undefined until its header has been read. */
  #bigEndian: boolean | undefined
  #chunk: Chunk | undefined
  /** For the chunk, and for frames that are not in it. */
  #memory: Buffer | undefined
  #outside: Buffer | undefined
  readonly #list = new FrameList()

  constructor(log: LogFile, pageSize: number, place: LogPlace, bigEndian?: boolean) {
    this.pageSize = pageSize
    this.#bigEndian = bigEndian
    this.#log = log
    this.#frameBytes = frameHeaderBytes + pageSize
    this.#framesAtOnce = Math.max(1, Math.floor(drainBytes / this.#frameBytes))
    this.#place = place
  }

  get place(): LogPlace {
    return this.#place
  }

  /** The log was reset: what follows starts at its first frame. */
  restart(salts: Buffer): void {
    this.#place = { salts, frame: 0, checksum: [0, 0] }
    this.#bigEndian = undefined
    this.#chunk = undefined
  }

  /** The transaction after the present place. The place stays. @throws LostContinuity */
  next(lastFrame: number): Transaction {
    const firstFrame = this.#place.frame + 1
    const sum = this.#sumSoFar()
    const list = this.#list
    list.clear()
    const [salt1, salt2] = [this.#place.salts.readUInt32BE(0), this.#place.salts.readUInt32BE(4)]
    for (let frame = firstFrame; frame <= lastFrame; frame++) {
      const chunk = this.#chunkWith(frame, firstFrame, lastFrame)
      const start = (frame - chunk.first) * this.#frameBytes
      const { bytes, words } = chunk
      if (bytes.readUInt32BE(start + 8) !== salt1 || bytes.readUInt32BE(start + 12) !== salt2) {
        throw new LostContinuity('frames-vanished', `Frame ${frame} of the log has the salts of another log.`)
      }
      addWords(sum, words, start / 4, start / 4 + 2)
      addWords(sum, words, (start + frameHeaderBytes) / 4, (start + this.#frameBytes) / 4)
      if (!matchesStored(sum, bytes, start + 16)) {
        throw new LostContinuity('frames-vanished', `The checksum of frame ${frame} of the log is wrong.`)
      }
      list.add(bytes.readUInt32BE(start), frame)
      const pageCount = bytes.readUInt32BE(start + 4)
      if (pageCount === 0) continue
      const checksum = [sum.first, sum.second] as const
      return { firstFrame, lastFrame: frame, pageCount, checksum, ...list.newest(pageCount, lockPage(this.pageSize)) }
    }
    throw new LostContinuity('frames-vanished', `Frame ${lastFrame} of the log does not end a transaction.`)
  }

  /** Goes to the end of this transaction, which must be the one that {@link next} gave. */
  advance(transaction: Transaction): void {
    const { lastFrame, checksum } = transaction
    this.#place = { salts: this.#place.salts, frame: lastFrame, checksum }
  }

  /** Copies the page in each of these frames to `target`, one after the other. @throws LostContinuity */
  copyPages(frames: Uint32Array, pages: Uint32Array, target: Buffer): void {
    for (let index = 0; index < frames.length; ) {
      const first = frames[index] ?? 0
      let count = 1
      while (count < this.#framesAtOnce && frames[index + count] === first + count) count++
      const { bytes, first: held } = this.#holding(first, count)
      for (let offset = 0; offset < count; offset++) {
        const start = (first + offset - held) * this.#frameBytes
        this.#requireFrame(bytes, start, pages[index + offset] ?? 0)
        bytes.copy(target, (index + offset) * this.pageSize, start + frameHeaderBytes, start + this.#frameBytes)
      }
      index += count
    }
  }

  /**
   * Copies the page in one frame that was taken to `target` at `offset`.
   * @returns whether it comes from the very memory that its hash was taken from, so that there is no need to compare it
   * @throws LostContinuity
   */
  copyPage(frame: number, page: number, target: Buffer, offset: number): boolean {
    const { bytes, first } = this.#holding(frame, 1)
    const start = (frame - first) * this.#frameBytes
    this.#requireFrame(bytes, start, page)
    bytes.copy(target, offset, start + frameHeaderBytes, start + this.#frameBytes)
    return bytes === this.#chunk?.bytes && this.#chunk.isHashed
  }

  /** Lets go of the memory; an idle database should cost none. */
  release(): void {
    this.#chunk = undefined
    returnMemory(this.#memory)
    returnMemory(this.#outside)
    this.#memory = undefined
    this.#outside = undefined
    this.#list.release()
  }

  #sumSoFar(): LogChecksum {
    if (this.#bigEndian !== undefined && this.#place.frame > 0) return toSum(this.#place.checksum)
    const header = Buffer.alloc(logHeaderBytes)
    const got = readSync(this.#log.descriptor, header, 0, header.length, 0)
    const magic = header.readUInt32BE(0)
    const isLog = got === header.length && (magic & ~1) >>> 0 === 0x377f0682 && header.readUInt32BE(4) === 3007000
    if (!isLog) throw new LostContinuity('frames-vanished', 'The log has no header.')
    if (header.readUInt32BE(8) !== this.pageSize) {
      throw new LostContinuity('page-size-changed', 'The page size of the log is another.')
    }
    const bigEndian = (magic & 1) === 1
    const sum = { first: 0, second: 0 }
    addBytes(sum, header.subarray(0, 24), bigEndian)
    if (!matchesStored(sum, header, 24) || !header.subarray(16, 24).equals(this.#place.salts)) {
      throw new LostContinuity('frames-vanished', 'The header of the log is not the one that its index speaks of.')
    }
    this.#bigEndian = bigEndian
    return this.#place.frame > 0 ? toSum(this.#place.checksum) : sum
  }

  /**
   * Frames in memory with `frame` among them. As long as the transaction is shorter than a chunk, all of it is there when
   * its last frame is: only longer ones are read twice.
   */
  #chunkWith(frame: number, firstOfTransaction: number, lastFrame: number): Chunk {
    const present = this.#chunk
    if (present && frame >= present.first && frame < present.first + present.count) return present
    const first = frame - firstOfTransaction < this.#framesAtOnce ? firstOfTransaction : frame
    this.#chunk = undefined
    this.#memory ??= borrowMemory()
    const count = Math.min(this.#framesAtOnce, lastFrame - first + 1)
    const bytes = this.#readFrames(first, count, this.#memory)
    const ordered = this.#bigEndian === hostIsBigEndian ? bytes : Buffer.from(Uint8Array.from(bytes).buffer).swap32()
    const words = new Int32Array(ordered.buffer, ordered.byteOffset, ordered.length / 4)
    this.#chunk = { bytes, words, first, count, isHashed: first === firstOfTransaction }
    return this.#chunk
  }

  #holding(first: number, count: number): { readonly bytes: Buffer; readonly first: number } {
    const present = this.#chunk
    if (present && first >= present.first && first + count <= present.first + present.count) return present
    this.#outside ??= borrowMemory()
    return { bytes: this.#readFrames(first, count, this.#outside), first }
  }

  #readFrames(first: number, count: number, memory: Buffer): Buffer {
    const length = count * this.#frameBytes
    const bytes = memory.subarray(0, length)
    const position = frameOffset(first, this.pageSize)
    for (let done = 0; done < length; ) {
      const got = readSync(this.#log.descriptor, bytes, done, length - done, position + done)
      if (got === 0) throw new LostContinuity('frames-vanished', `The log ends before frame ${first + count - 1} does.`)
      done += got
    }
    return bytes
  }

  /** Frames up to the horizon never change while our reader holds the log; a writer that disregards locks is caught here. */
  #requireFrame(bytes: Buffer, start: number, page: number): void {
    const isSame =
      bytes.readUInt32BE(start) === page && bytes.compare(this.#place.salts, 0, 8, start + 8, start + 16) === 0
    if (!isSame) throw new LostContinuity('frames-vanished', `The frame of page ${page} was overwritten.`)
  }
}

function toSum([first, second]: readonly [number, number]): LogChecksum {
  return { first, second }
}
