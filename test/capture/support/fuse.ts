/** Counts steps; at the chosen one, and ever after, everything that asks fails: the process is gone. */
export class Fuse {
  #blowsAt: number
  steps = 0

  constructor(blowsAt = Number.POSITIVE_INFINITY) {
    this.#blowsAt = blowsAt
  }

  get isBlown(): boolean {
    return this.steps > this.#blowsAt
  }

  blow(): void {
    this.#blowsAt = -1
  }

  /** @throws once it has blown */
  step(what: string): void {
    this.steps += 1
    if (this.isBlown) throw new Error(`The process is gone (before ${what}).`)
  }
}
