import { MinHeap } from '../../history/min-heap.ts'

interface Entry<Item> {
  readonly item: Item
  readonly at: number
}

/** Moments of many items, at most one an item, the earliest first. */
export class DueTimes<Item> {
  readonly #times = new Map<Item, Entry<Item>>()
  #heap = new MinHeap<Entry<Item>>(earlier)
  #entries = 0

  get earliest(): number | undefined {
    return this.#first()?.at
  }

  set(item: Item, at: number): void {
    if (this.#times.get(item)?.at === at) return
    const entry = { item, at }
    this.#times.set(item, entry)
    this.#heap.add(entry)
    this.#entries += 1
    // What was replaced stays in the heap until it comes up; a reload of everything must not pile it up.
    if (this.#entries > 2 * this.#times.size + 64) this.#rebuild()
  }

  has(item: Item): boolean {
    return this.#times.has(item)
  }

  delete(item: Item): void {
    this.#times.delete(item)
  }

  /** Removes the item that comes first, if that is not later than `now`. */
  takeDue(now: number): Item | undefined {
    const first = this.#first()
    if (first === undefined || first.at > now) return undefined
    this.#times.delete(first.item)
    return first.item
  }

  #first(): Entry<Item> | undefined {
    for (;;) {
      const first = this.#heap.smallest
      if (first === undefined || this.#times.get(first.item) === first) return first
      this.#heap.removeSmallest()
      this.#entries -= 1
    }
  }

  #rebuild(): void {
    this.#heap = new MinHeap<Entry<Item>>(earlier)
    for (const entry of this.#times.values()) this.#heap.add(entry)
    this.#entries = this.#times.size
  }
}

function earlier(a: { readonly at: number }, b: { readonly at: number }): number {
  return a.at - b.at
}
