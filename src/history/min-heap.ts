/** A binary heap; `compare` is that of `Array.sort`. */
export class MinHeap<Item> {
  readonly #items: Item[] = []
  readonly #compare: (a: Item, b: Item) => number

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare
  }

  get smallest(): Item | undefined {
    return this.#items[0]
  }

  add(item: Item): void {
    const items = this.#items
    let at = items.length
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = items[parent]
      if (above === undefined || this.#compare(above, item) <= 0) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  removeSmallest(): void {
    const items = this.#items
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    let at = 0
    for (;;) {
      const left = items[2 * at + 1]
      if (left === undefined) break
      const right = items[2 * at + 2]
      const useRight = right !== undefined && this.#compare(right, left) < 0
      const child = useRight ? right : left
      if (this.#compare(last, child) <= 0) break
      items[at] = child
      at = 2 * at + (useRight ? 2 : 1)
    }
    items[at] = last
  }
}
