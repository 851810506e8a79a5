/**
 * Where a page's bytes come from: stretches of it, one behind the other from its start to its end, each with a shift: its byte `i`
 * is made from byte `i + shift` of the former page.
 */
export class PatchStretches {
  #starts = new Uint32Array(64)
  #shifts = new Int32Array(64)
  #count = 0

  get count(): number {
    return this.#count
  }

  start(index: number): number {
    return this.#starts[index] ?? 0
  }

  /** Where the stretch ends, in a page of this size. */
  end(index: number, pageSize: number): number {
    return index + 1 < this.#count ? (this.#starts[index + 1] ?? 0) : pageSize
  }

  shift(index: number): number {
    return this.#shifts[index] ?? 0
  }

  /** The whole page stays where it is. */
  reset(): this {
    this.#starts[0] = 0
    this.#shifts[0] = 0
    this.#count = 1
    return this
  }

  /** From `start` on bytes have this shift; it is not before the last stretch's start, and replaces that stretch if it is the same. */
  add(start: number, shift: number): void {
    if (this.#count > 0 && this.#starts[this.#count - 1] === start) this.#count--
    if (this.#count > 0 && this.#shifts[this.#count - 1] === shift) return
    if (this.#count === this.#starts.length) this.#grow()
    this.#starts[this.#count] = start
    this.#shifts[this.#count] = shift
    this.#count++
  }

  /** What `older` and then `newer` do. */
  compose(older: PatchStretches, newer: PatchStretches, pageSize: number): this {
    this.reset()
    for (let index = 0; index < newer.count; index++) {
      const shift = newer.shift(index)
      const start = newer.start(index)
      const end = newer.end(index, pageSize)
      if (start === end) continue
      for (let at = older.#indexAt(start + shift); at < older.count && older.start(at) < end + shift; at++)
        this.add(Math.max(start, older.start(at) - shift), shift + older.shift(at))
    }
    return this
  }

  /** Index of the stretch in which a byte lies. */
  #indexAt(position: number): number {
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.start(middle) <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #grow(): void {
    const starts = new Uint32Array(2 * this.#count)
    const shifts = new Int32Array(2 * this.#count)
    starts.set(this.#starts)
    shifts.set(this.#shifts)
    this.#starts = starts
    this.#shifts = shifts
  }
}
