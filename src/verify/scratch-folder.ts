import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { parseTemporaryName, temporaryName } from '../source/sqlite/target/temporary-name.ts'
import { currentProcess, processState } from '../util/process-identity.ts'

/** Before the name of the process that made it. Other temporary names begin with a dot: what clears those leaves these alone. */
const prefix = 'holdfast-scratch'

/** What a machine made of which nothing is known, an earlier container perhaps, stays so long after it was last touched. */
const forgottenMs = 7 * 24 * 3_600_000

/** A folder for trial restores that goes away: at the end of the scope or, if its process dies, with the next one that is made beside it. */
export class ScratchFolder implements AsyncDisposable {
  readonly path: string
  readonly #parent: string
  #isKept = false

  private constructor(parent: string, name: string) {
    this.#parent = parent
    this.path = join(parent, name)
  }

  /**
   * @param parent default: the system's temporary folder
   * @param now milliseconds since 1970
   * @throws ACCESS_DENIED, DISK_FULL
   */
  static async make(parent: string = tmpdir(), now: number = Date.now()): Promise<ScratchFolder> {
    try {
      await clearAbandoned(parent, now)
      const name = prefix + temporaryName('', currentProcess(), randomBytes(8).toString('hex'))
      const folder = new ScratchFolder(parent, name)
      await mkdir(folder.path, { mode: 0o700 })
      return folder
    } catch (error) {
      const failure = toHoldfastError(error, parent)
      if (hasCode(failure, 'DISK_FULL')) throw failure
      throw new HoldfastError('ACCESS_DENIED', `No scratch folder can be made in ${parent}.`, {
        object: parent,
        cause: error,
        hint: 'Name a folder that exists and may be written to, with room for the largest database (--scratch).',
      })
    }
  }

  /** Renames the folder to a name under which it stays. @returns its new path */
  async keep(): Promise<string> {
    const kept = join(this.#parent, `holdfast-kept-${randomBytes(4).toString('hex')}`)
    await rename(this.path, kept)
    this.#isKept = true
    return kept
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isKept) await rm(this.path, { recursive: true, force: true })
  }
}

/**
 * Removes what processes left behind that were killed. Folders of processes that live are left alone, and for a while those of which nobody
 * here can tell: of another machine, or of one that has started anew.
 */
async function clearAbandoned(parent: string, now: number): Promise<void> {
  const here = currentProcess()
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue
    const found = parseTemporaryName(name.slice(prefix.length), here)
    if (found === undefined) continue
    const path = join(parent, name)
    try {
      if (await isAbandoned(path, processState(found.owner), now)) await rm(path, { recursive: true, force: true })
    } catch (error) {
      // Another user's, in a folder that all share: theirs to clear, and no reason to do nothing here.
      if (!hasCode(toHoldfastError(error), 'ACCESS_DENIED')) throw error
    }
  }
}

async function isAbandoned(path: string, owner: ReturnType<typeof processState>, now: number): Promise<boolean> {
  if (owner !== 'unknown') return owner === 'dead'
  const touchedAt = await lastTouched(path)
  return touchedAt !== undefined && touchedAt < now - forgottenMs
}

/** The newest time of a folder and of all that is in it; undefined if it changes just now, or is no folder. */
async function lastTouched(folder: string): Promise<number | undefined> {
  try {
    const names = await readdir(folder, { recursive: true })
    const times = await Promise.all(['.', ...names].map(async (name) => (await lstat(join(folder, name))).mtimeMs))
    return Math.max(...times)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}
