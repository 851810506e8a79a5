import type { LocalFiles } from './local-files.ts'
import type { SpoolItem } from './spool-item.ts'

/** The segments that wait for the repository, oldest first. Each is durable before it is in here. */
export class Spool {
  readonly folder: string
  readonly files: LocalFiles
  #items: readonly SpoolItem[]
  #reserved: ReadonlySet<SpoolItem> = new Set()
  #isBroken = false

  constructor(folder: string, files: LocalFiles, items: readonly SpoolItem[] = []) {
    this.folder = folder
    this.files = files
    this.#items = items
  }

  get items(): readonly SpoolItem[] {
    return this.#items
  }

  /** The next to be uploaded; undefined also while it is being merged with others, and once the spool is broken. */
  get first(): SpoolItem | undefined {
    const [first] = this.#items
    return first === undefined || this.#isBroken || this.#reserved.has(first) ? undefined : first
  }

  /** The first item cannot reach the repository any more, and so nothing that follows it can. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  break(): void {
    this.#isBroken = true
  }

  /** Begins again with nothing in it; returns what waited. */
  startOver(): readonly SpoolItem[] {
    const items = this.#items
    this.#items = []
    this.#isBroken = false
    return items
  }

  /** Bytes of all segments that wait. */
  get bytes(): number {
    return this.#items.reduce((sum, { info }) => sum + info.bytes, 0)
  }

  add(item: SpoolItem): void {
    this.#items = [...this.#items, item]
  }

  /** Not made durable: a file that comes back after a power loss is recognised by what the repository holds. */
  async remove(item: SpoolItem): Promise<void> {
    this.#items = this.#items.filter((other) => other !== item)
    await this.files.remove(item.path)
  }

  /** Keeps a run of neighbours from being uploaded until it is replaced, or the merge failed. */
  reserve(run: readonly SpoolItem[]): void {
    this.#reserved = new Set(run)
  }

  release(): void {
    this.#reserved = new Set()
  }

  /** Puts one item, which is durable, in the place of a run of neighbours. */
  async replace(run: readonly SpoolItem[], by: SpoolItem): Promise<void> {
    const [first] = run
    this.#items = this.#items.flatMap((item) => (item === first ? [by] : run.includes(item) ? [] : [item]))
    for (const { path } of run) await this.files.remove(path)
  }
}
