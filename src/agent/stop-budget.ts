/** Beyond the time for a stop, for all together that does not end when it is called off, in milliseconds. */
const spareMs = 3_000
/** For one part of it. */
const cleanUpMs = 5_000
/** A little is always left for a worker to let go, */
const leastHangMs = 500
/** and some more for what is written down, and for hooks after what was called off. */
const leastRecordsMs = 2_000

/** How long each part of a stop may take, in order: whatever hangs, the whole takes hardly longer than it may. All in milliseconds. */
export class StopBudget {
  readonly #now: () => number
  readonly #deadline: number

  /** @param now of a steady clock: the other may be set meanwhile */
  constructor(timeoutMs: number, now: () => number = () => performance.now()) {
    this.#now = now
    this.#deadline = now() + timeoutMs
  }

  /** What looks at everything now and then. */
  rounds(): number {
    return this.#left / 2
  }

  /** Answers to commands. */
  control(): number {
    return Math.min(cleanUpMs, this.#all / 4)
  }

  /** What runs is called off after `graceMs`, and cut off after `endMs`. What then follows databases needs time as well. */
  runs(): { readonly graceMs: number; readonly endMs: number } {
    const graceMs = this.#left / 2
    return { graceMs, endMs: graceMs + Math.min(cleanUpMs, (this.#all - graceMs) / 2) }
  }

  /** Uploads are waited for so long, and a worker that lets go so much longer. */
  following(): { readonly uploadMs: number; readonly hangMs: number } {
    const uploadMs = this.#left
    return { uploadMs, hangMs: Math.max(leastHangMs, this.#all - uploadMs) }
  }

  /** What is written down, and the hooks after what was called off. */
  records(): number {
    return Math.max(leastRecordsMs, this.#all)
  }

  get #left(): number {
    return Math.max(0, this.#deadline - this.#now())
  }

  get #all(): number {
    return Math.max(0, this.#deadline + spareMs - this.#now())
  }
}
