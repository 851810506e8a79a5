import { realpath } from 'node:fs/promises'

/** Two that follow one file by two names would store it twice. */
export class SameFiles {
  /** By real path. Only asked for when something new comes: at rest, this costs nothing. */
  readonly #paths = new Map<string, string>()
  readonly #unasked = new Set<string>()

  /** A path that is taken. */
  add(path: string): void {
    this.#unasked.add(path)
  }

  /** Why a path is not taken too, as the rest of a sentence; undefined if it is no file that was taken. */
  async reasonToIgnore(path: string): Promise<string | undefined> {
    const file = await realPath(path)
    if (file === undefined) return undefined
    for (const other of this.#unasked) {
      const real = await realPath(other)
      // The first that was taken is the one that is named.
      if (real !== undefined && !this.#paths.has(real)) this.#paths.set(real, other)
    }
    this.#unasked.clear()
    const same = this.#paths.get(file)
    return same === undefined || same === path ? undefined : `it is the same file as ${same}`
  }
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch {
    // What is not there is no other file's double.
    return undefined
  }
}
