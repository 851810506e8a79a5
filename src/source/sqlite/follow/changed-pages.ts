import { readSync } from 'node:fs'
import { pageHash } from '../../../util/page-hash.ts'
import type { ChangedPages } from '../../follower.ts'
import { borrowMemory, drainBytes, returnMemory } from './drain-memory.ts'
import type { LogCursor } from './log-cursor.ts'
import { LostContinuity } from './lost-continuity.ts'
import type { PageTable } from './page-table.ts'
import type { Transaction } from './transaction.ts'

/** Memory for one batch of pages, taken again and again for as long as a drain lasts. */
export class PageMemory {
  #values: Buffer | undefined
  #former: Buffer | undefined

  take(bytes: number): { readonly values: Buffer; readonly former: Buffer } {
    this.#values ??= borrowMemory()
    this.#former ??= borrowMemory()
    return { values: this.#values.subarray(0, bytes), former: this.#former.subarray(0, bytes) }
  }

  /** Lets go of it. */
  release(): void {
    returnMemory(this.#values)
    returnMemory(this.#former)
    this.#values = undefined
    this.#former = undefined
  }
}

export interface FormerPages {
  readonly cursor: LogCursor
  readonly memory: PageMemory
  readonly table: PageTable
  /** Descriptor of the database file. */
  readonly database: number
  /** The file may hold versions newer than the former one: see {@link readFormer}. */
  readonly fileMayBeAhead: boolean
}

/** A transaction's pages in batches of about a mebibyte, all in the same memory. @throws LostContinuity */
export function* changedPages(transaction: Transaction, from: FormerPages): Generator<ChangedPages, void, undefined> {
  const { pageSize } = from.cursor
  const pagesAtOnce = Math.max(1, Math.floor(drainBytes / pageSize))
  for (let start = 0; start < transaction.pages.length; start += pagesAtOnce) {
    const pages = transaction.pages.slice(start, start + pagesAtOnce)
    const { values, former } = from.memory.take(pages.length * pageSize)
    from.cursor.copyPages(transaction.frames.subarray(start, start + pagesAtOnce), pages, values)
    const hashes = new BigUint64Array(pages.length)
    for (let index = 0; index < pages.length; index++) {
      hashes[index] = pageHash(pages[index] ?? 0, values.subarray(index * pageSize, (index + 1) * pageSize))
    }
    yield { pages, values, hashes, former, hasFormer: readFormer(pages, former, from) }
  }
}

/**
 * The pages before the transaction: from the page's former frame in this log, or else from the database file.
 *
 * The file cannot have run ahead: checkpoints copy frames up to our read mark only, all of those have been taken, and so
 * their pages are read from the log. Only after an absence may the application have copied frames that we are yet to take.
 * That is why the hash of every former page that is read again is compared. While the file may be ahead, a difference means that the former
 * content is gone; later, it means that the state we believe in is not the database's, and continuity is lost.
 */
function readFormer(pages: Uint32Array, former: Buffer, from: FormerPages): Uint8Array {
  const { cursor, table } = from
  const { pageSize } = cursor
  const hasFormer = new Uint8Array(pages.length)
  const isHashed = new Uint8Array(pages.length)
  for (let index = 0; index < pages.length; ) {
    const page = pages[index] ?? 0
    const frame = table.frame(page)
    let count = 1
    if (page > table.pageCount) {
      former.fill(0, index * pageSize, (index + 1) * pageSize)
    } else if (frame > 0) {
      if (cursor.copyPage(frame, page, former, index * pageSize)) isHashed[index] = 1
      hasFormer[index] = 1
    } else {
      while (isNextInFile(pages[index + count], page + count, table)) count++
      readFile(from.database, (page - 1) * pageSize, former.subarray(index * pageSize, (index + count) * pageSize))
      hasFormer.fill(1, index, index + count)
    }
    index += count
  }
  requireHashes(pages, former, { hasFormer, isHashed }, from)
  return hasFormer
}

function isNextInFile(page: number | undefined, wanted: number, table: PageTable): boolean {
  return page === wanted && page <= table.pageCount && table.frame(page) === 0
}

/** SQLite reads zeros beyond the end of the file. */
function readFile(descriptor: number, position: number, target: Buffer): void {
  for (let done = 0; done < target.length; ) {
    const got = readSync(descriptor, target, done, target.length - done, position + done)
    if (got === 0) {
      target.fill(0, done)
      return
    }
    done += got
  }
}

function requireHashes(
  pages: Uint32Array,
  former: Buffer,
  { hasFormer, isHashed }: { readonly hasFormer: Uint8Array; readonly isHashed: Uint8Array },
  from: FormerPages,
): void {
  const { table, fileMayBeAhead } = from
  const { pageSize } = from.cursor
  for (let index = 0; index < pages.length; index++) {
    if (hasFormer[index] === 0 || isHashed[index] === 1) continue
    const page = pages[index] ?? 0
    const value = former.subarray(index * pageSize, (index + 1) * pageSize)
    if (pageHash(page, value) === table.hash(page)) continue
    if (!fileMayBeAhead)
      throw new LostContinuity('audit-failed', `Page ${page} was changed by no commit that was seen.`)
    value.fill(0)
    hasFormer[index] = 0
  }
}
