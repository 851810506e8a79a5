import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isAbsence } from './presence.ts'

/** Number of the file system on which a folder lies. @throws the system's error */
export type DeviceOf = (folder: string) => Promise<number>

const statDevice: DeviceOf = async (folder) => (await stat(folder)).dev

/** So many folders are asked about at once. */
const atOnce = 16

/** What is mounted may be another file system by now, or have another number. */
const askAgainMs = 3_600_000

/**
 * On which file system each database lies, also over a restart: where that is not mounted, its mount point is an ordinary folder without
 * the database, as if that had been deleted.
 */
export class DeviceBook {
  readonly #deviceOf: DeviceOf
  /** By path of the database: that of its folder. */
  readonly #devices: Map<string, number>
  /** By path: when it was asked about since the start, in milliseconds since 1970. */
  readonly #askedAt = new Map<string, number>()
  /** By what they were: numbers that file systems have now, since they were mounted anew. */
  readonly #renumbered = new Map<number, number>()

  constructor(devices: Readonly<Record<string, number>>, deviceOf: DeviceOf = statDevice) {
    this.#devices = new Map(Object.entries(devices))
    this.#deviceOf = deviceOf
  }

  /**
   * Notes where databases lie that are there.
   * @param options.anew also of those of which that was asked within the last hour; else these cost nothing
   * @param options.now milliseconds since 1970
   */
  async note(paths: readonly string[], { anew, now }: { readonly anew: boolean; readonly now: number }): Promise<void> {
    const isDue = (path: string): boolean => {
      const askedAt = this.#askedAt.get(path)
      return anew || askedAt === undefined || now < askedAt || now >= askedAt + askAgainMs
    }
    const folders = Map.groupBy(paths.filter(isDue), dirname)
    const former = new Set(this.#devices.values())
    const left = folders.entries()
    const askOn = async (): Promise<void> => {
      for (const [folder, databases] of left) await this.#ask(folder, databases, { former, now })
    }
    await Promise.all(Array.from({ length: atOnce }, askOn))
  }

  async #ask(
    folder: string,
    paths: readonly string[],
    { former, now }: { readonly former: ReadonlySet<number>; readonly now: number },
  ): Promise<void> {
    let device: number
    try {
      device = await this.#deviceOf(folder)
    } catch {
      // It stays as it was known: whether its databases can be read is told for themselves.
      return
    }
    for (const path of paths) {
      const known = this.#devices.get(path)
      // One that others had is another file system, such as the one below a mount point.
      if (known !== undefined && known !== device && !former.has(device)) this.#renumbered.set(known, device)
      this.#devices.set(path, device)
      this.#askedAt.set(path, now)
    }
  }

  /** Whether a database that is gone went away with its file system. */
  async isAway(path: string): Promise<boolean> {
    const known = this.#devices.get(path)
    if (known === undefined) return false
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      try {
        const device = await this.#deviceOf(folder)
        return device !== known && device !== this.#renumbered.get(known)
      } catch (thrown) {
        if (!isAbsence(thrown)) return true
        if (folder === dirname(folder)) return true
      }
    }
  }

  /** By path; others are forgotten. */
  keep(paths: readonly string[]): Record<string, number> {
    const kept = new Set(paths)
    for (const path of this.#devices.keys()) if (!kept.has(path)) this.#devices.delete(path)
    for (const path of this.#askedAt.keys()) if (!kept.has(path)) this.#askedAt.delete(path)
    return Object.fromEntries(this.#devices)
  }
}
