import type { ScheduleState } from './schedule-state.ts'

/** Where the state is kept; @returns bytes written */
export interface ScheduleStateStore {
  write(state: ScheduleState): Promise<number>
}

/** A burst of runs must not wear the disk: so many bytes a millisecond at most, on average. */
const bytesPerMs = 100
const soonest = 1000
const latest = 60_000

/** Writes the state some time after it changed, once for all changes. What a crash keeps from being written is run again. */
export class StateKeeper {
  readonly #state: ScheduleState
  readonly #store: ScheduleStateStore | undefined
  readonly #failed: (error: unknown) => void
  #pauseMs = soonest
  #saveAt: number | undefined
  #writing: Promise<void> | undefined

  constructor(state: ScheduleState, store: ScheduleStateStore | undefined, failed: (error: unknown) => void) {
    this.#state = state
    this.#store = store
    this.#failed = failed
  }

  /** When {@link save} wants to be called. */
  get saveAt(): number | undefined {
    return this.#writing === undefined ? this.#saveAt : undefined
  }

  changed(now: number): void {
    if (this.#store === undefined) return
    // The clock may have been set back since.
    this.#saveAt = Math.min(this.#saveAt ?? Number.POSITIVE_INFINITY, now + this.#pauseMs)
  }

  /** Never rejects: the schedules go on, and it is tried again. */
  async save(now: number): Promise<void> {
    if (this.#writing !== undefined || this.#store === undefined) return this.#writing
    this.#saveAt = undefined
    const writing = this.#write(this.#store, now)
    this.#writing = writing
    await writing
    this.#writing = undefined
  }

  /** Writes what has changed, after what is being written. */
  async flush(now: number): Promise<void> {
    await this.#writing
    if (this.#saveAt !== undefined) await this.save(now)
  }

  async #write(store: ScheduleStateStore, now: number): Promise<void> {
    try {
      const bytes = await store.write(this.#state)
      this.#pauseMs = Math.min(Math.max(bytes / bytesPerMs, soonest), latest)
    } catch (thrown) {
      this.#pauseMs = latest
      this.changed(now)
      this.#failed(thrown)
    }
  }
}
