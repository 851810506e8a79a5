import type { Checkpointer } from './checkpointer.ts'

/** Writers are held up for so long at a stretch; other work of this thread may prolong it a little. */
const heldMs = 6
/** Writers that commit fast leave the lock free for some microseconds of each transaction. */
const attemptMs = 5

type WriteLock = Pick<Checkpointer, 'lock' | 'unlock'>

/**
 * Takes the write lock for moments, again and again, so that writers which commit faster than their commits can be taken and
 * copied do not let the log grow until the disk is full. Disposing it lets them go on.
 */
export class Brake implements Disposable {
  readonly #lock: WriteLock
  readonly #freeMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param freeMs for how long writers go on in between */
  constructor(lock: WriteLock, freeMs: number) {
    this.#lock = lock
    this.#freeMs = freeMs
    this.#hold()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#lock.unlock()
  }

  #hold(): void {
    const isHeld = this.#lock.lock(attemptMs)
    this.#timer = setTimeout(() => (isHeld ? this.#free() : this.#hold()), isHeld ? heldMs : 1)
  }

  #free(): void {
    this.#lock.unlock()
    this.#timer = setTimeout(() => this.#hold(), this.#freeMs)
  }
}
