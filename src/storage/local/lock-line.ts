import { resolve } from 'node:path'
import { aborted, throwIfAborted } from '../abort.ts'

interface Waiter {
  readonly go: () => void
}

/** A lock is passed on within this process for so long; then other processes have their chance. */
const mostHeldMs = 20

const lines = new Map<string, LockLine>()

export interface LineOptions {
  readonly signal?: AbortSignal | undefined
  /** How long to wait while nobody gets on, in milliseconds. */
  readonly waitMs: number
}

/**
 * Those of this process who want one lock, one behind the other: thousands that ask the kernel again and again would keep one another from
 * getting it. Whoever leaves hands the lock itself to the next.
 */
export class LockLine {
  readonly #path: string
  readonly #waiting = new Set<Waiter>()
  #isTaken = false
  /** The lock, while one of this line has it. */
  #held: Disposable | undefined
  #heldSince = 0
  #movedAt = performance.now()

  private constructor(path: string) {
    this.#path = path
  }

  static of(path: string): LockLine {
    const key = resolve(path)
    const line = lines.get(key) ?? new LockLine(key)
    lines.set(key, line)
    return line
  }

  /**
   * Resolves when it is one's turn, to how long one may still wait for other processes, in milliseconds; to undefined if those before it
   * take longer than they may. @throws ABORTED
   */
  async enter({ signal, waitMs }: LineOptions): Promise<number | undefined> {
    if (!this.#isTaken) {
      this.#isTaken = true
      return waitMs
    }
    throwIfAborted(signal)
    const { promise, resolve: settle, reject } = Promise.withResolvers<number | undefined>()
    const since = performance.now()
    const leftMs = (): number => Math.max(0, Math.max(since, this.#movedAt) + waitMs - performance.now())
    const waiter: Waiter = { go: () => settle(leftMs()) }
    const giveUp = (): void => {
      const left = leftMs()
      if (left > 0) timer = setTimeout(giveUp, left)
      else if (this.#waiting.delete(waiter)) settle(undefined)
    }
    const onAbort = (): void => {
      if (signal !== undefined && this.#waiting.delete(waiter)) reject(aborted(signal))
    }
    let timer = setTimeout(giveUp, waitMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(waiter)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Whether the one before has handed on the lock. */
  get hasLock(): boolean {
    return this.#held !== undefined
  }

  /** In one's turn, the kernel has given the lock. */
  took(lock: Disposable): void {
    this.#held = lock
    this.#heldSince = performance.now()
  }

  leave(): void {
    const now = performance.now()
    const [next] = this.#waiting
    // Whoever could not get it says nothing of how long the next has to wait.
    if (this.#held !== undefined) this.#movedAt = now
    if (next === undefined || now - this.#heldSince > mostHeldMs) {
      this.#held?.[Symbol.dispose]()
      this.#held = undefined
    }
    if (next === undefined) {
      this.#isTaken = false
      lines.delete(this.#path)
      return
    }
    this.#waiting.delete(next)
    next.go()
  }
}
