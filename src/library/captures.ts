import { FollowTally } from '../agent/journal/follow-tally.ts'
import type { OpenOperation } from '../agent/journal/open-operation.ts'
import type { ManagedDatabase } from '../backup/managed-database.ts'
import { LiveCapture, type LiveCaptureOptions } from '../capture/live-capture.ts'
import type { ManagerParts } from './manager-parts.ts'

/** The databases that a manager follows, each recorded as one operation from its start to its end. */
export class Captures {
  readonly #parts: ManagerParts
  readonly #live = new Set<LiveCapture>()
  readonly #endings = new Set<Promise<void>>()

  constructor(parts: ManagerParts) {
    this.#parts = parts
  }

  /** @throws LEASE_HELD, DATABASE_*, NAME_TAKEN, USAGE, DISK_FULL, STORAGE_*, ENGINE_DIED, ABORTED */
  async follow(database: ManagedDatabase, options: LiveCaptureOptions): Promise<LiveCapture> {
    const { link, options: own, recorder } = this.#parts
    const location = database.fileToFollow()
    const operation = await recorder.begin({
      kind: 'follow',
      database: database.name,
      parameters: { path: location, enableWal: options.enableWal === true },
    })
    const tally = new FollowTally()
    let live: LiveCapture | undefined
    const onEnd = (failure: unknown): Promise<void> => {
      if (live !== undefined) this.#live.delete(live)
      return this.#ending(operation, tally, failure)
    }
    const place = {
      location,
      database: database.name,
      unnamedIn: database.unnamedIn,
      link,
      engine: own.engine,
      onEvent: tally.count.bind(tally),
      onEnd,
    }
    try {
      live = await LiveCapture.follow(place, options)
    } catch (thrown) {
      await operation?.fail(thrown, tally.figures)
      throw thrown
    }
    if (live.isFollowing) this.#live.add(live)
    return live
  }

  /** Stops following; a capture that failed has told of it already. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#live].map((live) => live.stop()))
    await Promise.all(this.#endings)
  }

  async #ending(operation: OpenOperation | undefined, tally: FollowTally, failure: unknown): Promise<void> {
    if (operation === undefined) return
    const recorded = failure === undefined ? operation.end(tally.ending) : operation.fail(failure, tally.figures)
    this.#endings.add(recorded)
    await recorded
    this.#endings.delete(recorded)
  }
}
