/** Restores into a temporary file beside the target, which then takes the target's place. */
import { existsSync, fstatSync, renameSync, rmSync } from 'node:fs'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../../errors.ts'
import { EarlyFlush } from '../../../util/early-flush.ts'
import { lockPage } from '../../../util/lock-page.ts'
import type { ExpectedState, Proof, ProveOptions, RestoreTarget } from '../../target.ts'
import { assertNotHeld, type ExclusiveLock, lockByLink, lockExclusively } from './exclusive-lock.ts'
import { standsUnder } from './file-identity.ts'
import { syncFolder } from './folder-sync.ts'
import { KeptFile } from './kept-file.ts'
import { findHolders, liveTarget } from './live-target.ts'
import { assertPages, readPages, writePages } from './page-runs.ts'
import { proofFailed } from './proof-failed.ts'
import { proveFile } from './prove-file.ts'
import { removeSidecars, setSidecarsAside } from './sidecars.ts'
import type { OnStep, TargetShape } from './step.ts'
import type { TargetPlace } from './target-place.ts'

export interface ReplacementOptions {
  readonly busyTimeoutMs: number
  /** Name of the temporary file in the target's folder. */
  readonly temporary: string
  readonly onStep: OnStep
}

/** SQLite's own default for new databases; the umask applies. */
const newFileMode = 0o644
const privateMode = 0o600

export class FileReplacement implements RestoreTarget {
  readonly mode: 'create' | 'replace'
  readonly #place: TargetPlace
  readonly #shape: TargetShape
  readonly #options: ReplacementOptions
  readonly #path: string
  readonly #file: FileHandle
  readonly #finalMode: number
  /** So that the disk is at work during the proof as well. */
  readonly #early: EarlyFlush
  #state: 'writing' | 'proved' | 'committing' | 'done' = 'writing'
  #bytesWritten = 0

  private constructor(
    place: TargetPlace,
    shape: TargetShape,
    options: ReplacementOptions,
    file: FileHandle,
    finalMode: number,
  ) {
    this.mode = place.old === undefined ? 'create' : 'replace'
    this.#place = place
    this.#shape = shape
    this.#options = options
    this.#path = join(place.folder, options.temporary)
    this.#file = file
    this.#finalMode = finalMode
    this.#early = new EarlyFlush(() => file.datasync())
  }

  static async open(place: TargetPlace, shape: TargetShape, options: ReplacementOptions): Promise<FileReplacement> {
    const path = join(place.folder, options.temporary)
    let file: FileHandle | undefined
    try {
      options.onStep('create')
      file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, newFileMode)
      const finalMode = await inherit(file, place)
      await file.truncate(shape.pageSize * shape.pageCount)
      return new FileReplacement(place, shape, options, file, finalMode)
    } catch (error) {
      await file?.close()
      rmSync(path, { force: true })
      throw toHoldfastError(error, place.path)
    }
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  async write(
    pages: Uint32Array,
    values: Uint8Array,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    assertPages(pages, values, { ...this.#shape, lockPage: lockPage(this.#shape.pageSize) })
    try {
      options.signal?.throwIfAborted()
      await writePages(this.#file, this.#shape.pageSize, pages, values)
      this.#early.wrote(values.length)
    } catch (error) {
      throw toHoldfastError(error, this.#path)
    }
    this.#bytesWritten += values.length
  }

  async read(pages: Uint32Array): Promise<Uint8Array> {
    try {
      return await readPages(this.#file, this.#shape.pageSize, pages)
    } catch (error) {
      throw toHoldfastError(error, this.#path)
    }
  }

  async prove(expected: ExpectedState, options?: ProveOptions): Promise<Proof> {
    const file = this.#file
    const path = this.#path
    try {
      const proof = await proveFile(
        { ...this.#shape, file, path, target: this.#place.path, lend: (use) => use(path, file) },
        expected,
        options,
      )
      this.#state = 'proved'
      return proof
    } catch (error) {
      throw toHoldfastError(error, this.#place.path)
    }
  }

  async commit(): Promise<void> {
    if (this.#state !== 'proved') throw new HoldfastError('INTERNAL', 'Only a proved restore can be committed.')
    this.#state = 'committing'
    try {
      this.#options.onStep('sync')
      await this.#file.chmod(this.#finalMode)
      await this.#early.end()
      await this.#file.sync()
      this.#putInPlace()
    } catch (error) {
      throw toHoldfastError(error, this.#place.path)
    }
    this.#state = 'done'
    await this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'done') return
    const isOnlyOurs = this.#state !== 'committing'
    this.#state = 'done'
    this.#early[Symbol.dispose]()
    // Closing waits for a flush under way, which has nothing left to do then. If it fails, closing only takes longer.
    if (isOnlyOurs) await this.#file.truncate(0).catch(() => undefined)
    await this.#file.close()
    rmSync(this.#path, { force: true })
    removeSidecars(this.#path)
  }

  /** Synchronous from the lock to the rename: nothing else in this process comes between. */
  #putInPlace(): void {
    const { path } = this.#place
    if (!existsSync(path)) {
      assertNotHeld(path)
      this.#replaceUnlocked(false)
    } else if (this.mode === 'create') {
      throw new HoldfastError('TARGET_EXISTS', `Something made ${path} while it was being restored.`, {
        object: path,
        hint: 'Look at it, and restore with --force if it may be replaced.',
      })
    } else {
      const attempt = lockExclusively(path, this.#options.busyTimeoutMs)
      if (attempt.readable) this.#replaceLocked(attempt.lock)
      else this.#replaceUnlocked(true)
    }
    this.#step('sync-folder')
    syncFolder(this.#place.folder)
  }

  /** The old database is whole without its sidecars now, so the order of what follows leaves it or the new one, never a mixture. */
  #replaceLocked(first: ExclusiveLock): void {
    const { path, folder } = this.#place
    let lock = first
    let kept: KeptFile | undefined
    try {
      kept = this.#keepOld()
      this.#step('remove-sidecars')
      removeSidecars(path)
      syncFolder(folder)
      // A WAL-mode connection deletes `-wal` by name as it closes, which must not be the new database's.
      if (lock.journalMode === 'wal') {
        if (kept === undefined) lock[Symbol.dispose]()
        else lock = lockByLink(lock, kept.path, this.#options.busyTimeoutMs)
      }
      assertNotHeld(path)
      this.#swap(kept)
    } finally {
      lock[Symbol.dispose]()
      kept?.[Symbol.dispose]()
    }
  }

  /** @param isThere whether there is an old file at all */
  #replaceUnlocked(isThere: boolean): void {
    const { path, folder } = this.#place
    using kept = isThere ? this.#keepOld() : undefined
    this.#step('set-sidecars-aside')
    const sidecars = setSidecarsAside(path, (suffix, inode) =>
      join(folder, `${this.#options.temporary}.kept-${inode}${suffix}`),
    )
    try {
      syncFolder(folder)
      this.#swap(kept)
    } catch (error) {
      sidecars.putBack()
      throw error
    }
    this.#step('discard-sidecars')
    syncFolder(folder)
    sidecars.discard()
  }

  #keepOld(): KeptFile | undefined {
    this.#step('keep-old')
    return KeptFile.of(this.#place.path, join(this.#place.folder, `${this.#options.temporary}-old`))
  }

  /**
   * Whoever opened the old file before the rename, and waits for our lock, would next write a journal or log beside the new
   * one. Nobody can open it afterwards, so that is when to look.
   */
  #swap(kept: KeptFile | undefined): void {
    const { path, folder } = this.#place
    this.#step('rename')
    if (!standsUnder(this.#path, fstatSync(this.#file.fd, { bigint: true }))) {
      throw proofFailed(path, 'identity', 'the file that was proved', `another one under its name ${this.#path}`)
    }
    renameSync(this.#path, path)
    const holders = kept === undefined ? [] : findHolders([kept.path])
    if (holders.length === 0) return
    kept?.putBack(path)
    syncFolder(folder)
    throw liveTarget(path, holders)
  }

  #step(name: string): void {
    this.#options.onStep(name)
  }
}

/** Gives the file the old one's owner, hides it while it is unfinished, and returns the mode that it gets in the end. */
async function inherit(file: FileHandle, { old, path }: TargetPlace): Promise<number> {
  const created = await file.stat()
  if (old !== undefined && (old.uid !== created.uid || old.gid !== created.gid)) {
    await file.chown(old.uid, old.gid).catch((cause: unknown) => {
      throw new HoldfastError('ACCESS_DENIED', `The owner of ${path} cannot be given to the file that replaces it.`, {
        object: path,
        hint: 'Restore as the owner of the file, or with --delta, which writes into the file itself.',
        cause,
      })
    })
  }
  await file.chmod(privateMode)
  return (old?.mode ?? created.mode) & 0o7777
}
