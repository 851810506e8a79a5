/** One agent a state folder: two would follow and back up the same databases, and write the same files. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { localFiles } from '../capture/spool/local-files.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { currentProcess, processState } from '../util/process-identity.ts'

const document = z.looseObject({
  owner: z.object({ host: z.string(), bootId: z.string(), pid: z.int(), startedAt: z.string() }),
  /** Path of the socket on which it takes requests; null if it takes none. */
  control: z.string().nullable(),
})
type LockDocument = z.infer<typeof document>

/**
 * The system's own lock on a file, which ends with its process however that ends: an agent that was killed in one container does not
 * keep the next one out, whose processes have other numbers. A document beside it says who holds it.
 */
export class AgentLock implements AsyncDisposable {
  readonly #document: string
  readonly #held: Disposable

  private constructor(path: string, held: Disposable) {
    this.#document = path
    this.#held = held
  }

  /**
   * @param control path of the socket on which this process will take requests
   * @throws LEASE_HELD if an agent runs there; ACCESS_DENIED, DISK_FULL
   */
  static async take(folder: string, control: string | null): Promise<AgentLock> {
    const path = documentPath(folder)
    try {
      await localFiles.makeFolder(folder)
      const held = await localFiles.lock(join(folder, 'lock'))
      if (held === undefined) throw heldError(path, await read(path))
      try {
        await write(path, { owner: currentProcess(), control })
      } catch (thrown) {
        held[Symbol.dispose]()
        throw thrown
      }
      return new AgentLock(path, held)
    } catch (thrown) {
      const error = toHoldfastError(thrown, folder)
      if (!hasCode(error, 'STORAGE_DENIED')) throw error
      throw new HoldfastError('ACCESS_DENIED', `The state folder ${folder} cannot be used. ${error.message}`, {
        object: folder,
        cause: error,
        hint: 'Check its owner and mode, and that its file system is mounted for writing.',
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _ = this.#held
    await rm(this.#document, { force: true })
  }
}

/** The socket of the agent that runs there. @throws NOT_RUNNING if none does, or it takes no requests; ACCESS_DENIED */
export async function agentSocket(folder: string): Promise<string> {
  const path = documentPath(folder)
  try {
    const found = await read(path)
    if (found !== undefined && processState(found.owner) !== 'dead' && found.control !== null) return found.control
  } catch (thrown) {
    throw toHoldfastError(thrown, path)
  }
  throw new HoldfastError('NOT_RUNNING', `No agent runs with the state folder ${folder}.`, {
    object: folder,
    hint: 'Start one: "holdfast run". If it has another configuration file, name that with --config.',
  })
}

function documentPath(folder: string): string {
  return join(folder, 'agent.json')
}

/** In one piece, for whoever reads it at the same moment. */
async function write(path: string, body: LockDocument): Promise<void> {
  const temporary = `${path}.tmp`
  await writeFile(temporary, `${JSON.stringify(body)}\n`, { mode: 0o600, flush: true })
  await rename(temporary, path)
}

/** Undefined if there is none, or power was lost while it was written. */
async function read(path: string): Promise<LockDocument | undefined> {
  try {
    return document.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (thrown) {
    const isForeign = thrown instanceof SyntaxError || thrown instanceof z.ZodError
    if (isForeign || (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) return undefined
    throw thrown
  }
}

function heldError(path: string, found: LockDocument | undefined): HoldfastError {
  const who = found === undefined ? '' : `: process ${found.owner.pid} on ${found.owner.host}`
  return new HoldfastError('LEASE_HELD', `Another agent runs with this state folder${who}.`, {
    object: path,
    hint: 'Stop it first, or give this one a "stateFolder" of its own.',
  })
}
