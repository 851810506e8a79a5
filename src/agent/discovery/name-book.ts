import { z } from 'zod'
import { readState, writeState } from '../state/state-document.ts'
import { distinctName } from './database-names.ts'

/** What the repository knows of where the databases in it were first backed up from. */
export interface KnownPlaces {
  /** Whether the database of that name is from that path; undefined if it cannot be told now. */
  isAt(name: string, path: string): Promise<boolean | undefined>
}

/** A path, and the name that it has if nothing speaks against it. */
export interface NameWish {
  readonly path: string
  readonly wanted: string
}

/** So many names are looked up at once. */
const atOnce = 8

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
  /** Paths whose names could not be looked up in the repository: they are not written down, and looked up again. */
  readonly #unsure = new Set<string>()
  #isChanged = false

  private constructor(path: string, names: Map<string, string>) {
    this.#path = path
    this.#names = names
    for (const name of names.values()) this.#count(name, 1)
  }

  /**
   * One that cannot be used starts anew: what the repository knows brings names back; and a name that was made of the path is refused to
   * a file where the repository has it for another.
   * @throws ACCESS_DENIED, INTERNAL
   */
  static async read(path: string, warn: (message: string) => void): Promise<NameBook> {
    const read = await readState('names', body, path)
    if (read.found) return new NameBook(path, new Map(Object.entries(read.body.names)))
    if (read.problem !== undefined) warn(`The names of databases begin anew. ${read.problem}`)
    return new NameBook(path, new Map())
  }

  /**
   * Gives paths that have no name yet the names of those databases in the repository that are from there. To be called for all paths before
   * any of them is named anew. Where it cannot be told now, the name that is given then is not for good.
   */
  async recall(wishes: readonly NameWish[], places: KnownPlaces): Promise<void> {
    const unknown = wishes.filter(({ path }) => !this.#names.has(path) || this.#unsure.has(path))
    for (const { path } of unknown) {
      this.#unsure.add(path)
      this.#forget(path)
    }
    const left = unknown.values()
    const lookOn = async (): Promise<void> => {
      for (const wish of left) {
        const found = await nameInRepository(wish, places)
        if (found === undefined) continue
        this.#unsure.delete(wish.path)
        if (found.name !== undefined && !this.#uses.has(found.name)) this.#set(wish.path, found.name)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lookOn))
  }

  /** @param given names that the configuration gives, and the paths that have them */
  nameOf(path: string, wanted: string, given: ReadonlyMap<string, string> = new Map()): string {
    const isGivenAway = (name: string): boolean => given.has(name) && given.get(name) !== path
    const known = this.#names.get(path)
    if (known !== undefined && !isGivenAway(known)) return known
    const othersHaveIt = (this.#uses.get(wanted) ?? 0) > (known === wanted ? 1 : 0)
    const name = isGivenAway(wanted) || othersHaveIt ? distinctName(wanted, path) : wanted
    this.#set(path, name)
    return name
  }

  #set(path: string, name: string): void {
    this.#forget(path)
    this.#count(name, 1)
    this.#names.set(path, name)
    if (!this.#unsure.has(path)) this.#isChanged = true
  }

  #forget(path: string): void {
    const name = this.#names.get(path)
    if (name !== undefined) this.#count(name, -1)
    this.#names.delete(path)
  }

  #count(name: string, change: number): void {
    const uses = (this.#uses.get(name) ?? 0) + change
    if (uses === 0) this.#uses.delete(name)
    else this.#uses.set(name, uses)
  }

  /** Writes down what is new, if anything is. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async save(): Promise<void> {
    if (!this.#isChanged) return
    const sure = [...this.#names].filter(([path]) => !this.#unsure.has(path))
    await writeState('names', { names: Object.fromEntries(sure) }, this.#path)
    this.#isChanged = false
  }
}

/** A name that is made of a path is one of two. @returns none, if neither is in the repository; undefined if that cannot be told now */
async function nameInRepository(
  { path, wanted }: NameWish,
  places: KnownPlaces,
): Promise<{ readonly name: string | undefined } | undefined> {
  for (const name of [wanted, distinctName(wanted, path)]) {
    const isThere = await places.isAt(name, path)
    if (isThere === undefined) return undefined
    if (isThere) return { name }
  }
  return { name: undefined }
}
