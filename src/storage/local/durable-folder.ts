import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing, systemCode } from './file-error.ts'

/** Makes the names in a folder survive power loss. */
export async function syncFolder(path: string): Promise<void> {
  // Windows can neither open nor flush a folder; NTFS journals names by itself.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates folders of a storage so that they survive power loss, and remembers which do. */
export class DurableFolders {
  readonly #root: string
  readonly #durable = new Set<string>()
  #wasThere = false

  constructor(root: string) {
    this.#root = root
  }

  /** Folders of it were made sure of before. */
  get wasThere(): boolean {
    return this.#wasThere
  }

  /** Whether it was made sure of before, and cannot be without its root. */
  isSure(path: string, root: string): boolean {
    return path !== root && this.#durable.has(path)
  }

  /** Also of a folder that exists the parent is synced, once: another process may have made it a moment ago and not synced yet. */
  async ensure(path: string): Promise<void> {
    if (this.#durable.has(path)) return
    if (path === this.#root) await createWithParents(path)
    else {
      const parent = dirname(path)
      await this.ensure(parent)
      await makeFolder(path)
      await syncFolder(parent)
    }
    this.#durable.add(path)
    this.#wasThere = true
  }

  /** Somebody removed folders: all have to be made sure of again. */
  forget(): void {
    this.#durable.clear()
  }
}

async function createWithParents(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await makeFolder(path)
  } catch (thrown) {
    if (!isMissing(thrown) || parent === path) throw thrown
    await createWithParents(parent)
    await makeFolder(path)
  }
  await syncParent(parent)
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (thrown) {
    // A file in its place shows itself when something is put into the folder.
    if (systemCode(thrown) !== 'EEXIST') throw thrown
  }
}

/** The folder above the storage may be one that we may pass through but not read; then its owner answers for it. */
async function syncParent(parent: string): Promise<void> {
  try {
    await syncFolder(parent)
  } catch (thrown) {
    if (systemCode(thrown) !== 'EACCES') throw thrown
  }
}
