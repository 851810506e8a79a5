import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { toHoldfastError } from '../../errors.ts'
import { readState, writeState } from './state-document.ts'

const marker = z.strictObject({ startedAt: z.number(), seenAt: z.number() })
/** Times are in milliseconds since 1970. */
export type RunMarkerBody = z.infer<typeof marker>

/** Lies in the state folder for as long as the agent runs. One that an agent finds when it starts was left by one that was killed. */
export class RunMarker {
  /** The last run, if it did not stop in order. */
  readonly unclean: RunMarkerBody | undefined
  readonly #path: string
  readonly #startedAt: number

  private constructor(path: string, startedAt: number, unclean: RunMarkerBody | undefined) {
    this.#path = path
    this.#startedAt = startedAt
    this.unclean = unclean
  }

  /** To be called by the only agent of the folder. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  static async set(folder: string, now: number): Promise<RunMarker> {
    const path = join(folder, 'running.json')
    const read = await readState('running', marker, path)
    // A torn one says as well that its agent was killed, though not when.
    const left = read.found ? read.body : read.problem === undefined ? undefined : { startedAt: now, seenAt: now }
    const run = new RunMarker(path, now, left)
    await run.seen(now)
    return run
  }

  /** The agent is alive at that time; to be called now and then. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async seen(now: number): Promise<void> {
    const body: RunMarkerBody = { startedAt: this.#startedAt, seenAt: now }
    await writeState('running', body, this.#path)
  }

  /** The agent stops in order. @throws ACCESS_DENIED, INTERNAL */
  async clear(): Promise<void> {
    try {
      await rm(this.#path, { force: true })
    } catch (error) {
      throw toHoldfastError(error, this.#path)
    }
  }
}
