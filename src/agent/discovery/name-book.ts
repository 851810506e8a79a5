import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { distinctName } from './database-names.ts'

const document = z.strictObject({ names: z.record(z.string(), z.string()) })

/**
 * Which name each path has in the repository, for good: a database that was once `acme-app` stays that, whatever is found beside it
 * later. Written by whoever changes it.
 */
export class NameBook {
  readonly #names: Map<string, string>
  #isChanged = false

  private constructor(names: Map<string, string>) {
    this.#names = names
  }

  /** One that is missing or cannot be read starts anew: the repository knows the names of its databases too, and refuses others. */
  static async read(path: string, warn: (message: string) => void): Promise<NameBook> {
    try {
      const { names } = document.parse(JSON.parse(await readFile(path, 'utf8')))
      return new NameBook(new Map(Object.entries(names)))
    } catch (thrown) {
      const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
      if (!isMissing) warn(`The names of databases in ${path} could not be read and are made anew.`)
      return new NameBook(new Map())
    }
  }

  /** What must be written since the last time that was asked, if anything. */
  takeChanges(): string | undefined {
    if (!this.#isChanged) return undefined
    this.#isChanged = false
    return `${JSON.stringify({ names: Object.fromEntries(this.#names) }, undefined, 2)}\n`
  }

  nameOf(path: string, wanted: string): string {
    const known = this.#names.get(path)
    if (known !== undefined) return known
    const taken = new Set(this.#names.values())
    const name = taken.has(wanted) ? distinctName(wanted, path) : wanted
    this.#names.set(path, name)
    this.#isChanged = true
    return name
  }
}
