/** One agent a state folder: two would follow and back up the same databases, and write the same files. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import { currentProcess, processState } from '../util/process-identity.ts'

const document = z.strictObject({
  owner: z.strictObject({ host: z.string(), bootId: z.string(), pid: z.int(), startedAt: z.string() }),
  /** Path of the socket on which it takes requests; null if it takes none. */
  control: z.string().nullable(),
})
type LockDocument = z.infer<typeof document>

const attempts = 10
/** Long after whoever read the file before has done what it does. */
const settleMs = 200

export class AgentLock implements AsyncDisposable {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /**
   * @param control path of the socket on which this process will take requests
   * @throws LEASE_HELD if an agent runs there; ACCESS_DENIED, DISK_FULL
   */
  static async take(folder: string, control: string | null): Promise<AgentLock> {
    const path = join(folder, 'agent.lock')
    const mine = join(folder, `agent.lock.${process.pid}-${randomBytes(4).toString('hex')}`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const body: LockDocument = { owner: currentProcess(), control }
      await writeFile(mine, `${JSON.stringify(body)}\n`, { mode: 0o600, flag: 'wx', flush: true })
      try {
        await place(mine, path)
      } finally {
        await rm(mine, { force: true })
      }
      return new AgentLock(path)
    } catch (thrown) {
      throw toHoldfastError(thrown, path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#path, { force: true })
  }
}

/** The socket of the agent that runs there. @throws NOT_RUNNING if none does, or it takes no requests; ACCESS_DENIED */
export async function agentSocket(folder: string): Promise<string> {
  const path = join(folder, 'agent.lock')
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

/** Puts the file at the path, if it is free or was left by a process that is gone. */
async function place(mine: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      await link(mine, path)
      await confirm(mine, path)
      return
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown
    }
    const found = await read(path)
    if (found !== undefined && processState(found.owner) !== 'dead') throw held(path, found)
    // Of several that find it dead, each moves away what it found: who moved another's, just placed, puts it back.
    const aside = `${mine}.old`
    try {
      await rename(path, aside)
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') continue
      throw thrown
    }
    const moved = await read(aside)
    if (moved !== undefined && processState(moved.owner) !== 'dead') {
      await link(aside, path).catch(() => undefined)
      await rm(aside, { force: true })
      throw held(path, moved)
    }
    await rm(aside, { force: true })
  }
  throw new HoldfastError('LEASE_HELD', `Others take and leave ${path} all the time.`, { object: path })
}

/** Who found a dead one a moment ago may have moved this one away instead; then another may have come in its place. */
async function confirm(mine: string, path: string): Promise<void> {
  await sleep(settleMs)
  const [here, there] = await Promise.all([stat(mine), stat(path).catch(() => undefined)])
  if (here.ino === there?.ino) return
  throw new HoldfastError('LEASE_HELD', `Another agent has taken ${path} at the same moment.`, {
    object: path,
    hint: 'Start it again if that one ends.',
  })
}

/** Undefined for one that is gone, or that no agent wrote: it is written in one piece. */
async function read(path: string): Promise<LockDocument | undefined> {
  try {
    return document.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (thrown) {
    const isForeign = thrown instanceof SyntaxError || thrown instanceof z.ZodError
    if (isForeign || (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) return undefined
    throw thrown
  }
}

function held(path: string, { owner }: LockDocument): HoldfastError {
  return new HoldfastError(
    'LEASE_HELD',
    `Another agent runs with this state folder: process ${owner.pid} on ${owner.host}.`,
    {
      object: path,
      hint: 'Stop it first, or give this one a "stateFolder" of its own.',
    },
  )
}
