/**
 * A SQLite rollback journal, written by us. While it stands beside the database, the next SQLite connection of any program
 * undoes what we wrote. Source: https://sqlite.org/fileformat2.html#the_rollback_journal
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { writeFully } from './page-runs.ts'

const magic = Buffer.from('d9d505f920a163d7', 'hex')
const sectorSize = 4096
const recordCountOffset = 8

export interface JournalShape {
  readonly pageSize: number
  /** Size of the database before the first change; rolling back restores it. */
  readonly pageCount: number
}

/** Mode and owner of the database file. */
export interface JournalAccess {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** A page as it was. */
export interface OldPage {
  readonly page: number
  readonly value: Uint8Array
}

export class RollbackJournal implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #shape: JournalShape
  #end = 0

  private constructor(file: FileHandle, shape: JournalShape) {
    this.#file = file
    this.#shape = shape
  }

  /** Makes `path`, or empties it; the caller holds the database's exclusive lock. Whoever may write the database must be able to roll it back. */
  static async create(path: string, access: JournalAccess, shape: JournalShape): Promise<RollbackJournal> {
    const file = await open(path, 'w', 0o600)
    try {
      const { uid, gid } = await file.stat()
      if (uid !== access.uid || gid !== access.gid) await file.chown(access.uid, access.gid).catch(ignoreDenied)
      await file.chmod(access.mode & 0o777)
      return new RollbackJournal(file, shape)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Appends pages as they were; durable when it resolves, and only then may they be overwritten. No page may be given twice,
   * nor the lock page: SQLite plays records back in order, and stops at that page.
   */
  async append(pages: readonly OldPage[]): Promise<void> {
    const nonce = randomBytes(4).readUInt32BE()
    const header = this.#header(nonce)
    const body = encodeRecords(pages, this.#shape.pageSize, nonce)
    const start = this.#end
    await writeFully(this.#file, header, start)
    await writeFully(this.#file, body, start + sectorSize)
    await this.#file.datasync()
    // The count makes the records valid, so it follows once they are safe: their checksum covers only some of their bytes.
    header.writeUInt32BE(pages.length, recordCountOffset)
    await writeFully(this.#file, header.subarray(0, sectorSize), start)
    await this.#file.datasync()
    this.#end = Math.ceil((start + sectorSize + body.length) / sectorSize) * sectorSize
  }

  #header(nonce: number): Buffer {
    const header = Buffer.alloc(sectorSize)
    magic.copy(header)
    header.writeUInt32BE(0, recordCountOffset)
    header.writeUInt32BE(nonce, 12)
    header.writeUInt32BE(this.#shape.pageCount, 16)
    header.writeUInt32BE(sectorSize, 20)
    header.writeUInt32BE(this.#shape.pageSize, 24)
    return header
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

function encodeRecords(pages: readonly OldPage[], pageSize: number, nonce: number): Buffer {
  const size = pageSize + 8
  const records = Buffer.allocUnsafe(pages.length * size)
  for (const [index, { page, value }] of pages.entries()) {
    const offset = index * size
    records.writeUInt32BE(page, offset)
    records.set(value, offset + 4)
    records.writeUInt32BE(recordChecksum(value, nonce), offset + 4 + pageSize)
  }
  return records
}

/** Every 200th byte, counted from the end, as SQLite does. */
export function recordChecksum(value: Uint8Array, nonce: number): number {
  let sum = nonce
  for (let index = value.length - 200; index > 0; index -= 200) sum += value[index] ?? 0
  return sum >>> 0
}

/** Only the superuser may give files away; SQLite too keeps its own owner then. */
function ignoreDenied(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'EPERM') return
  throw error
}
