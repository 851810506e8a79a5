import { renameSync, rmSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { lockPage } from '../../../util/lock-page.ts'
import { syncFolder } from './folder-sync.ts'
import { contiguousSpans, writePages } from './page-runs.ts'
import { type JournalAccess, type OldPage, RollbackJournal } from './rollback-journal.ts'
import type { OnStep, TargetShape } from './step.ts'
import type { ExistingPlace } from './target-place.ts'

interface Batch {
  readonly pages: Uint32Array
  readonly values: Uint8Array
}

export interface DeltaWriterOptions {
  /** Name of a temporary file in the target's folder. */
  readonly temporary: string
  readonly heldBytes: number
  readonly onStep: OnStep
}

/** Saves each page in the rollback journal, durably, before it overwrites it. */
export class DeltaWriter {
  readonly journalPath: string
  readonly #folder: string
  readonly #unnamedPath: string
  readonly #access: JournalAccess
  readonly #shape: TargetShape
  readonly #old: { readonly file: FileHandle; readonly pageCount: number }
  readonly #options: DeltaWriterOptions
  /** Entry `page - 1` is 1 once the page is in the journal. */
  readonly #saved: Uint8Array
  #journal: RollbackJournal | undefined
  #held: Batch[] = []
  #heldBytes = 0
  /** One flush at a time; the first failure stands in the way of all later ones. */
  #flushing: Promise<void> = Promise.resolve()

  constructor(
    place: ExistingPlace,
    shape: TargetShape,
    old: { readonly file: FileHandle; readonly pageCount: number },
    options: DeltaWriterOptions,
  ) {
    this.journalPath = `${place.path}-journal`
    this.#folder = place.folder
    this.#unnamedPath = join(place.folder, `${options.temporary}-journal`)
    this.#access = place.old
    this.#shape = shape
    this.#old = old
    this.#options = options
    this.#saved = new Uint8Array(old.pageCount)
  }

  async write(pages: Uint32Array, values: Uint8Array): Promise<void> {
    this.#held.push({ pages: Uint32Array.from(pages), values: Uint8Array.from(values) })
    this.#heldBytes += values.length
    if (this.#heldBytes >= this.#options.heldBytes) await this.flush()
  }

  /** Writes what is held back, and gives the file its new size. */
  async finish(): Promise<void> {
    await this.flush()
    const { pageSize, pageCount } = this.#shape
    const { file, pageCount: oldCount } = this.#old
    if (pageCount === oldCount) return
    const perRound = Math.max(1, Math.floor(this.#options.heldBytes / pageSize))
    for (let first = pageCount + 1; first <= oldCount; first += perRound) {
      const length = Math.min(perRound, oldCount - first + 1)
      await this.#save([Uint32Array.from({ length }, (_, index) => first + index)])
    }
    // Growing too needs a journal, even an empty one: it holds the size to go back to.
    if (this.#journal === undefined) await this.#save([])
    this.#options.onStep('resize')
    await file.truncate(pageSize * pageCount)
  }

  /** Lets go of the journal's descriptor; the journal stays. Waits for a flush under way, whose failure its writer has been told. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#flushing])
    await this.#journal?.[Symbol.asyncDispose]()
    this.#journal = undefined
    rmSync(this.#unnamedPath, { force: true })
  }

  /** Writes what is held back. */
  flush(): Promise<void> {
    const batches = this.#held
    this.#held = []
    this.#heldBytes = 0
    this.#flushing = this.#flushing.then(async () => {
      if (batches.length === 0) return
      await this.#save(batches.map(({ pages }) => pages))
      this.#options.onStep('write-pages')
      for (const { pages, values } of batches) await writePages(this.#old.file, this.#shape.pageSize, pages, values)
    })
    return this.#flushing
  }

  async #save(lists: readonly Uint32Array[]): Promise<void> {
    const olds: OldPage[] = []
    for (const pages of lists) olds.push(...(await this.#readOld(pages)))
    this.#options.onStep('journal')
    if (this.#journal !== undefined) {
      if (olds.length > 0) await this.#journal.append(olds)
      return
    }
    this.#journal = await RollbackJournal.create(this.#unnamedPath, this.#access, {
      pageSize: this.#shape.pageSize,
      pageCount: this.#old.pageCount,
    })
    await this.#journal.append(olds)
    this.#options.onStep('journal-name')
    // Under its own name it is whole from the first: an empty one would be no journal to SQLite, and would stay.
    renameSync(this.#unnamedPath, this.journalPath)
    syncFolder(this.#folder)
  }

  /** What stands where the pages go, if it is part of the old state and not saved yet. */
  async #readOld(pages: Uint32Array): Promise<OldPage[]> {
    const { pageSize } = this.#shape
    const lock = lockPage(pageSize)
    const wanted = pages.filter((page) => {
      if (page > this.#old.pageCount || page === lock || this.#saved[page - 1] === 1) return false
      this.#saved[page - 1] = 1
      return true
    })
    const olds: OldPage[] = []
    for (const { firstPage, count } of contiguousSpans(wanted, pageSize)) {
      const bytes = Buffer.allocUnsafe(count * pageSize)
      await readAt(this.#old.file, bytes, (firstPage - 1) * pageSize)
      for (let index = 0; index < count; index += 1) {
        olds.push({ page: firstPage + index, value: bytes.subarray(index * pageSize, (index + 1) * pageSize) })
      }
    }
    return olds
  }
}

async function readAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled)
    if (bytesRead === 0) throw new RangeError(`The file ends at byte ${position + filled}.`)
    filled += bytesRead
  }
}
