/** What a receiver is ready to take: the sender takes one credit an item and waits when there is none. */
export class Credit {
  #available = 0
  #closed = false
  #waiting: (() => void) | undefined

  grant(count: number): void {
    this.#available += count
    this.#wake()
  }

  /** Nothing more will be taken. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  /** Resolves to true when an item may be sent, to false when none may be any more. One caller at a time. */
  async take(): Promise<boolean> {
    while (this.#available === 0 && !this.#closed) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting = resolve
      await promise
    }
    if (this.#closed) return false
    this.#available--
    return true
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }
}
