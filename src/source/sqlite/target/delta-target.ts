/**
 * Changes an existing database file in place, page by page, under a rollback journal: until the journal is gone, the old
 * state is one SQLite connection away, whatever happens to us.
 */
import { rmSync, statSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../../errors.ts'
import { lockPage } from '../../../util/lock-page.ts'
import type { CurrentHashes, ExpectedState, Proof, ProveOptions, RestoreTarget } from '../../target.ts'
import { DeltaWriter } from './delta-writer.ts'
import { type ExclusiveLock, lockExclusively } from './exclusive-lock.ts'
import { syncFolder } from './folder-sync.ts'
import { assertPages, readPages, writeFully } from './page-runs.ts'
import { proveFile } from './prove-file.ts'
import { hashPages, readAhead } from './read-ahead.ts'
import type { OnStep, TargetShape } from './step.ts'
import { assertSpace, type ExistingPlace } from './target-place.ts'

export interface DeltaOptions {
  readonly busyTimeoutMs: number
  /** Name of a temporary file in the target's folder: the user's command gets a copy, because the target is locked. */
  readonly temporary: string
  /** Bytes of pages that are held back until they are journalled and written together. */
  readonly heldBytes: number
  readonly onStep: OnStep
}

export class DeltaTarget implements RestoreTarget {
  readonly mode = 'delta'
  readonly #place: ExistingPlace
  readonly #shape: TargetShape
  readonly #options: DeltaOptions
  readonly #lock: ExclusiveLock
  readonly #file: FileHandle
  readonly #oldPageCount: number
  readonly #writer: DeltaWriter
  #state: 'writing' | 'proved' | 'done' = 'writing'
  #bytesWritten = 0
  #checkEnded: Promise<void> = Promise.resolve()

  private constructor(place: ExistingPlace, shape: TargetShape, options: DeltaOptions, held: HeldFile) {
    this.#place = place
    this.#shape = shape
    this.#options = options
    this.#lock = held.lock
    this.#file = held.file
    this.#oldPageCount = held.pageCount
    this.#writer = new DeltaWriter(place, shape, held, options)
  }

  /** Undefined if the file cannot serve: no database, another page size, empty, or to become empty. @throws TARGET_LIVE */
  static async open(place: ExistingPlace, shape: TargetShape, options: DeltaOptions): Promise<DeltaTarget | undefined> {
    // SQLite takes a journal beside an empty file for a remnant, so an empty file could not be rolled back.
    if (shape.pageCount === 0) return undefined
    const attempt = lockExclusively(place.path, options.busyTimeoutMs)
    if (!attempt.readable) return undefined
    // Closing a descriptor drops this process's locks on the file: ours is opened after the lock, and closed after it.
    let file: FileHandle | undefined
    try {
      file = await open(place.path, 'r+')
      const pageCount = await usablePages(file, shape.pageSize)
      if (pageCount !== undefined)
        return new DeltaTarget(place, shape, options, { lock: attempt.lock, file, pageCount })
    } catch (error) {
      attempt.lock[Symbol.dispose]()
      await file?.close()
      throw toHoldfastError(error, place.path)
    }
    attempt.lock[Symbol.dispose]()
    await file.close()
    return undefined
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  currentHashes(): AsyncIterable<CurrentHashes> {
    return hashPages(this.#file, this.#shape.pageSize, this.#oldPageCount)
  }

  async expect(wanted: Uint8Array): Promise<void> {
    const { pageSize, pageCount } = this.#shape
    // The journal keeps what is overwritten or cut off, a page with 8 bytes of its own.
    let journalled = Math.max(0, this.#oldPageCount - pageCount)
    for (let page = Math.min(wanted.length, this.#oldPageCount); page > 0; page -= 1)
      journalled += wanted[page - 1] ?? 0
    const growth = Math.max(0, pageCount - this.#oldPageCount) * pageSize
    await assertSpace(this.#place.folder, growth + journalled * (pageSize + 8))
  }

  async write(
    pages: Uint32Array,
    values: Uint8Array,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    assertPages(pages, values, { ...this.#shape, lockPage: lockPage(this.#shape.pageSize) })
    try {
      options.signal?.throwIfAborted()
      await this.#writer.write(pages, values)
    } catch (error) {
      throw toHoldfastError(error, this.#place.path)
    }
    this.#bytesWritten += values.length
  }

  async read(pages: Uint32Array): Promise<Uint8Array> {
    try {
      await this.#writer.flush()
      return await readPages(this.#file, this.#shape.pageSize, pages)
    } catch (error) {
      throw toHoldfastError(error, this.#place.path)
    }
  }

  async prove(expected: ExpectedState, options?: ProveOptions): Promise<Proof> {
    const { path } = this.#place
    try {
      await this.#writer.finish()
      const proof = await proveFile(
        {
          ...this.#shape,
          file: this.#file,
          path,
          target: path,
          lend: (use) => this.#lendCopy(use),
          onCheck: (ended) => {
            this.#checkEnded = ended
          },
        },
        expected,
        options,
      )
      this.#state = 'proved'
      return proof
    } catch (error) {
      throw toHoldfastError(error, path)
    }
  }

  async commit(): Promise<void> {
    if (this.#state !== 'proved') throw new HoldfastError('INTERNAL', 'Only a proved restore can be committed.')
    try {
      this.#step('sync')
      await this.#file.sync()
      this.#step('remove-journal')
      // This is the moment of commit.
      rmSync(this.#writer.journalPath, { force: true })
    } catch (error) {
      throw toHoldfastError(error, this.#place.path)
    }
    this.#state = 'done'
    await this.#release(() => {
      rmSync(`${this.#place.path}-shm`, { force: true })
      syncFolder(this.#place.folder)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'done') return
    this.#state = 'done'
    // It has the file open through SQLite; our descriptor must outlive that.
    await this.#checkEnded
    await this.#writer.close()
    await this.#release(() => {
      this.#lock[Symbol.dispose]()
      rollBack(this.#place.path, this.#writer.journalPath, this.#options.busyTimeoutMs)
    })
  }

  async #release(lastWork: () => void): Promise<void> {
    try {
      await this.#writer.close()
      lastWork()
    } finally {
      this.#lock[Symbol.dispose]()
      await this.#file.close()
    }
  }

  async #lendCopy<T>(use: (path: string, file: FileHandle) => Promise<T>): Promise<T> {
    const copy = join(this.#place.folder, this.#options.temporary)
    try {
      // Read through our own descriptor: opening and closing another one would drop the lock.
      const file = await open(copy, 'wx+', 0o600)
      try {
        const { pageSize, pageCount } = this.#shape
        for await (const { firstPage, bytes } of readAhead(this.#file, pageSize, pageCount)) {
          await writeFully(file, bytes, (firstPage - 1) * pageSize)
        }
        return await use(copy, file)
      } finally {
        await file.close()
      }
    } finally {
      await rm(copy, { force: true })
    }
  }

  #step(name: string): void {
    this.#options.onStep(name)
  }
}

interface HeldFile {
  readonly lock: ExclusiveLock
  readonly file: FileHandle
  readonly pageCount: number
}

async function usablePages(file: FileHandle, pageSize: number): Promise<number | undefined> {
  const { size } = await file.stat()
  if (size === 0 || size % pageSize !== 0) return undefined
  const header = Buffer.alloc(100)
  await file.read(header, 0, header.length, 0)
  const field = header.readUInt16BE(16)
  const ofFile = field === 1 ? 65536 : field
  return header.toString('latin1', 0, 16) === 'SQLite format 3\0' && ofFile === pageSize ? size / pageSize : undefined
}

/** SQLite plays the journal back, as it would after our death. */
function rollBack(path: string, journal: string, busyTimeoutMs: number): void {
  if (statSync(journal, { throwIfNoEntry: false }) === undefined) return
  const attempt = lockExclusively(path, busyTimeoutMs)
  if (attempt.readable) attempt.lock[Symbol.dispose]()
  if ((statSync(journal, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  throw new HoldfastError('INTERNAL', `The old state of ${path} could not be brought back yet.`, {
    object: path,
    hint: `Keep ${journal}: any SQLite program that opens the database rolls it back from there.`,
    cause: attempt.readable ? undefined : attempt.cause,
  })
}
