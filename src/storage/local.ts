import { type FileHandle, link, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../errors.ts'
import { throwIfAborted } from './abort.ts'
import { checkConditions, objectChanged, objectExists } from './conditions.ts'
import { checkKey, checkPrefix } from './keys.ts'
import { DurableFolders, syncFolder } from './local/durable-folder.ts'
import { lockName, withExclusiveLock } from './local/exclusive-lock.ts'
import { explainFolder } from './local/explain-folder.ts'
import { fileError, guarded, isMissing, systemCode } from './local/file-error.ts'
import { objectInfo, stampVersion } from './local/object-version.ts'
import { readFileRange } from './local/read-file.ts'
import { removeIfPresent, temporaryName } from './local/temporary-file.ts'
import { type Entry, walk } from './local/walk.ts'
import { writeBody } from './local/write-body.ts'
import { checkRange } from './range.ts'
import type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from './storage.ts'

/** How many objects a listing asks the file system about at once. */
const statBatch = 64

export interface LocalStorageOptions {
  /** Makes a hard link; default: the file system's own. */
  readonly link?: ((existing: string, name: string) => Promise<void>) | undefined
}

/**
 * A storage in a folder: every object is a file under its key's name, mode 0600, in folders of mode 0700, which the first
 * put creates. Objects appear by rename or link, after their bytes have been flushed.
 *
 * `ifAbsent` and `ifMatch` hold between processes. Puts without a condition and deletes do not take the lock that `ifMatch`
 * takes, so one that falls into the same instant may be overwritten by it: keys that are swapped should only be swapped.
 */
export class LocalStorage implements BackupStorage {
  readonly url: string
  readonly capabilities: StorageCapabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    consistentList: true,
  }
  readonly #root: string
  readonly #folders: DurableFolders
  readonly #link: (existing: string, name: string) => Promise<void>
  #swept: Promise<void> | undefined
  /** Which folder it was that objects were seen in. */
  #seen: string | undefined

  /** @param folder where the objects lie; relative to the working directory. It need not exist. */
  constructor(folder: string, options: LocalStorageOptions = {}) {
    this.#root = resolve(folder)
    this.#folders = new DurableFolders(this.#root)
    this.#link = options.link ?? link
    this.url = pathToFileURL(this.#root).href
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    checkKey(key)
    checkConditions(key, options)
    throwIfAborted(options.signal)
    const path = this.#path(key)
    const [temporary, handle] = await this.#explained(key, this.#createTemporary(dirname(path), key))
    // Once in the life of this storage a put looks through all folders for what killed processes left.
    this.#swept ??= sweep(this.#root)
    try {
      const createdAt = Date.now()
      let info: ObjectInfo
      try {
        await this.#explained(key, writeBody(handle, key, body, options.signal))
        info = await guarded(key, finish(handle, key, createdAt))
      } finally {
        await guarded(key, handle.close())
      }
      throwIfAborted(options.signal)
      await this.#explained(key, this.#publish(temporary, path, key, options))
      return info
    } catch (thrown) {
      // If even that fails, what went wrong first is what matters; a later process sweeps the file.
      await removeIfPresent(temporary).catch(() => {})
      throw thrown
    } finally {
      await this.#swept
    }
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    checkKey(key)
    checkRange(options)
    yield* readFileRange(this.#path(key), key, options)
    await this.#noteSeen()
  }

  async head(key: string, options: OperationOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key)
    throwIfAborted(options.signal)
    return await this.#facts(key)
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix)
    throwIfAborted(options.signal)
    let batch: Entry[] = []
    for await (const entry of walk(this.#root, prefix, options.signal)) {
      batch.push(entry)
      if (batch.length < statBatch) continue
      yield* this.#allFacts(batch, options.signal)
      batch = []
    }
    yield* this.#allFacts(batch, options.signal)
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    checkKey(key)
    throwIfAborted(options.signal)
    const path = this.#path(key)
    // A folder is no object, and unlink answers differently to it from system to system.
    if ((await this.#facts(key)) !== undefined) await guarded(key, removeIfPresent(path))
    // Also when it was gone already: whoever removed it may not have made that durable.
    await this.#syncIfPresent(dirname(path), key)
  }

  async close(): Promise<void> {
    await this.#swept
  }

  async #noteSeen(): Promise<void> {
    this.#seen ??= await identityOf(this.#root)
  }

  /** Nothing is begun in another folder that is as empty as a place where nothing is mounted. */
  async #requireSame(): Promise<void> {
    if (this.#seen === undefined || this.#seen === (await identityOf(this.#root))) return
    if (await isGone(this.#root)) throw folderGone(this.#root)
  }

  #path(key: string): string {
    return `${this.#root}/${key}`
  }

  /** Says which folder it is that is full, or cannot be. */
  async #explained<T>(key: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (thrown) {
      throw thrown instanceof HoldfastError && thrown.object === key ? await explainFolder(thrown, this.#root) : thrown
    }
  }

  /**
   * The folders may vanish between being made and being used, when somebody tidies up: then once more. Where all that was there is gone,
   * its disk was taken away: what would be put into its place could not be found again once it is back.
   */
  async #createTemporary(folder: string, key: string): Promise<[path: string, handle: FileHandle]> {
    for (let attempt = 0; ; attempt++) {
      try {
        if (!this.#folders.isSure(folder, this.#root)) await this.#requireSame()
        await this.#folders.ensure(folder)
        const temporary = `${folder}/${temporaryName()}`
        return [temporary, await open(temporary, 'wx', 0o600)]
      } catch (thrown) {
        if (thrown instanceof HoldfastError) throw thrown
        if (systemCode(thrown) !== 'ENOENT' || attempt > 0) throw fileError(thrown, key)
        if (this.#folders.wasThere && (await isGone(this.#root))) throw folderGone(this.#root, thrown)
        this.#folders.forget()
      }
    }
  }

  async #publish(temporary: string, path: string, key: string, options: PutOptions): Promise<void> {
    if (options.ifAbsent === true) await this.#publishIfAbsent(temporary, path, key, options)
    else if (options.ifMatch !== undefined) await this.#publishIfMatch(temporary, path, key, options)
    else await guarded(key, rename(temporary, path))
    await guarded(key, syncFolder(dirname(path)))
  }

  async #publishIfAbsent(temporary: string, path: string, key: string, options: PutOptions): Promise<void> {
    try {
      await this.#link(temporary, path)
    } catch (thrown) {
      const code = systemCode(thrown)
      if (code === 'EEXIST') throw objectExists(key, thrown)
      if (code === undefined || !hasNoHardLinks.has(code)) throw fileError(thrown, key)
      await this.#locked(options, async () => {
        if ((await this.#facts(key)) !== undefined) throw objectExists(key)
        await guarded(key, rename(temporary, path))
      })
      return
    }
    await guarded(key, unlink(temporary))
  }

  async #publishIfMatch(temporary: string, path: string, key: string, options: PutOptions): Promise<void> {
    await this.#locked(options, async () => {
      const current = await this.#facts(key)
      if (current?.etag !== options.ifMatch) throw objectChanged(key)
      await guarded(key, rename(temporary, path))
    })
  }

  async #locked(options: OperationOptions, work: () => Promise<void>): Promise<void> {
    await withExclusiveLock(`${this.#root}/${lockName}`, work, { signal: options.signal })
  }

  async #facts(key: string): Promise<ObjectInfo | undefined> {
    try {
      const facts = await stat(this.#path(key), { bigint: true })
      if (!facts.isFile()) return undefined
      await this.#noteSeen()
      return objectInfo(key, facts)
    } catch (thrown) {
      if (isMissing(thrown)) return undefined
      throw fileError(thrown, key)
    }
  }

  async *#allFacts(entries: Entry[], signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, undefined> {
    for (const info of await Promise.all(entries.map((entry) => this.#facts(entry.key)))) {
      throwIfAborted(signal)
      // Deleted since its folder was read.
      if (info !== undefined) yield info
    }
  }

  async #syncIfPresent(folder: string, key: string): Promise<void> {
    try {
      await syncFolder(folder)
    } catch (thrown) {
      if (!isMissing(thrown)) throw fileError(thrown, key)
    }
  }
}

/** Undefined if it is missing. */
async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true })
    return `${dev}:${ino}`
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw fileError(thrown, folder)
  }
}

/** It is missing, or as empty as a place where nothing is mounted. */
async function isGone(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0
  } catch (thrown) {
    if (isMissing(thrown)) return true
    throw fileError(thrown, folder)
  }
}

function folderGone(root: string, cause?: unknown): HoldfastError {
  return new HoldfastError('STORAGE_TRANSIENT', `The storage folder ${root} is gone, and all that was in it.`, {
    object: root,
    cause,
    hint: 'If it is on a disk of its own or on a network drive, mount it again.',
  })
}

/** What file systems without hard links answer: EPERM is FAT's. */
const hasNoHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

async function finish(handle: FileHandle, key: string, createdAt: number): Promise<ObjectInfo> {
  await stampVersion(handle, createdAt)
  await handle.sync()
  return objectInfo(key, await handle.stat({ bigint: true }))
}

async function sweep(root: string): Promise<void> {
  try {
    for await (const _ of walk(root, ''));
  } catch {
    // A folder that cannot be read is no reason to fail the put that came by; listing it will say so.
    return
  }
}
