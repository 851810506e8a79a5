import { z } from 'zod'
import { readState, writeState } from '../state/state-document.ts'
import { distinctName } from './database-names.ts'

const body = z.strictObject({ names: z.record(z.string(), z.string()) })

/**
 * Which name each path has in the repository, for good: a database that was once `acme-app` stays that, whatever is found beside it
 * later.
 */
export class NameBook {
  readonly #path: string
  readonly #names: Map<string, string>
  /** Of each name, how many paths have it. */
  readonly #uses = new Map<string, number>()
  #isChanged = false

  private constructor(path: string, names: Map<string, string>) {
    this.#path = path
    this.#names = names
    for (const name of names.values()) this.#count(name, 1)
  }

  /**
   * One that cannot be used starts anew: the repository knows the names of its databases too, and refuses others.
   * @throws ACCESS_DENIED, INTERNAL
   */
  static async read(path: string, warn: (message: string) => void): Promise<NameBook> {
    const read = await readState('names', body, path)
    if (read.found) return new NameBook(path, new Map(Object.entries(read.body.names)))
    if (read.problem !== undefined) warn(`The names of databases begin anew. ${read.problem}`)
    return new NameBook(path, new Map())
  }

  /** @param given names that the configuration gives, and the paths that have them */
  nameOf(path: string, wanted: string, given: ReadonlyMap<string, string> = new Map()): string {
    const isGivenAway = (name: string): boolean => given.has(name) && given.get(name) !== path
    const known = this.#names.get(path)
    if (known !== undefined && !isGivenAway(known)) return known
    const othersHaveIt = (this.#uses.get(wanted) ?? 0) > (known === wanted ? 1 : 0)
    const name = isGivenAway(wanted) || othersHaveIt ? distinctName(wanted, path) : wanted
    if (known !== undefined) this.#count(known, -1)
    this.#count(name, 1)
    this.#names.set(path, name)
    this.#isChanged = true
    return name
  }

  #count(name: string, change: number): void {
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + change)
  }

  /** Writes down what is new, if anything is. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async save(): Promise<void> {
    if (!this.#isChanged) return
    await writeState('names', { names: Object.fromEntries(this.#names) }, this.#path)
    this.#isChanged = false
  }
}
