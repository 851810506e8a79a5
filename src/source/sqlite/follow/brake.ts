import type { Checkpointer } from './checkpointer.ts'

/** Other work of this thread may prolong either a little. */
export interface BrakePace {
  /** For how long writers are held up at a stretch, and for how long they go on in between. */
  readonly heldMs: number
  readonly freeMs: number
}

/** Writers that commit fast leave the lock free for some microseconds of each transaction. */
const attemptMs = 5

type WriteLock = Pick<Checkpointer, 'lock' | 'unlock'>

/**
 * Takes the write lock for moments, again and again, so that writers which commit faster than their commits can be taken and
 * copied do not let the log grow until the disk is full. Disposing it lets them go on.
 */
export class Brake implements Disposable {
  readonly #lock: WriteLock
  readonly #pace: BrakePace
  #timer: NodeJS.Timeout | undefined

  constructor(lock: WriteLock, pace: BrakePace) {
    this.#lock = lock
    this.#pace = pace
    this.#hold()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#lock.unlock()
  }

  #hold(): void {
    const isHeld = this.#lock.lock(attemptMs)
    this.#timer = setTimeout(() => (isHeld ? this.#free() : this.#hold()), isHeld ? this.#pace.heldMs : 1)
  }

  #free(): void {
    this.#lock.unlock()
    this.#timer = setTimeout(() => this.#hold(), this.#pace.freeMs)
  }
}
