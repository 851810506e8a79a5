const slabBytes = 1 << 20

/** Pages in memory that is used again: page by page, they would keep the garbage collector busier than everything else. */
export class HeldPages {
  readonly #pageSize: number
  readonly #pagesAtOnce: number
  readonly #slabs: Uint8Array[] = []
  readonly #slots = new Map<number, number>()

  constructor(pageSize: number) {
    this.#pageSize = pageSize
    this.#pagesAtOnce = slabBytes / pageSize
  }

  get bytes(): number {
    return this.#slots.size * this.#pageSize
  }

  has(page: number): boolean {
    return this.#slots.has(page)
  }

  /** Valid until {@link clear}. */
  get(page: number): Uint8Array | undefined {
    const slot = this.#slots.get(page)
    return slot === undefined ? undefined : this.#at(slot)
  }

  /** Copies the value. */
  set(page: number, value: Uint8Array): void {
    const slot = this.#slots.get(page) ?? this.#slots.size
    this.#slots.set(page, slot)
    this.#at(slot).set(value)
  }

  /** Ascending. */
  numbers(): Uint32Array {
    return Uint32Array.from(this.#slots.keys()).sort()
  }

  clear(): void {
    this.#slots.clear()
  }

  #at(slot: number): Uint8Array {
    const index = Math.floor(slot / this.#pagesAtOnce)
    let slab = this.#slabs[index]
    if (slab === undefined) {
      slab = new Uint8Array(slabBytes)
      this.#slabs[index] = slab
    }
    const start = (slot % this.#pagesAtOnce) * this.#pageSize
    return slab.subarray(start, start + this.#pageSize)
  }
}
