import { readdir, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { DatabaseConfig } from '../config/config.ts'
import { readState, writeState } from '../state/state-document.ts'
import { fixedPart } from './database-names.ts'
import { DeviceBook, type DeviceOf } from './device-book.ts'
import type { FoundDatabase } from './discover.ts'
import { isAbsence, messageOf, presenceOf } from './presence.ts'
import { type RootState, whyVanished } from './vanished.ts'

const time = z.number()

const body = z.strictObject({
  /** By pattern and what it leaves out. */
  patterns: z.record(
    z.string(),
    z.strictObject({
      device: z.number().nullable(),
      /** Names in the repository, by path. */
      databases: z.record(z.string(), z.string()),
      /** Since when some of them are gone that are expected back. */
      since: time.nullable(),
    }),
  ),
  /** By path: databases that their owner deleted lately. */
  deleted: z.record(z.string(), z.strictObject({ name: z.string(), since: time })),
  /** By path: the number of the file system on which its folder lies. */
  devices: z.record(z.string(), z.number()).default({}),
})
type Body = z.infer<typeof body>

/** Databases of a pattern that went away without having been deleted, as far as can be seen, and that are expected back. */
export interface VanishedDatabases {
  readonly pattern: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** The rest of a sentence. */
  readonly reason: string
  readonly databases: readonly FoundDatabase[]
}

/** One that its owner deleted. */
export interface DeletedDatabase {
  readonly name: string
  readonly path: string
  readonly since: number
}

/** A deletion is told for so long. */
const rememberMs = 7 * 24 * 3_600_000

/** Remembers, also over a restart, what each pattern found: so that a disk that is not mounted is not taken for a deletion. */
export class GlobWatch {
  readonly #path: string
  #body: Body
  #written: string
  #vanished: readonly VanishedDatabases[] = []
  readonly #devices: DeviceBook

  private constructor(path: string, read: Body, deviceOf: DeviceOf | undefined) {
    this.#path = path
    this.#body = read
    this.#written = JSON.stringify(read)
    this.#devices = new DeviceBook(read.devices, deviceOf)
  }

  /** @throws ACCESS_DENIED, INTERNAL */
  static async read(path: string, warn: (message: string) => void, deviceOf?: DeviceOf): Promise<GlobWatch> {
    const read = await readState('globs', body, path)
    if (read.found) return new GlobWatch(path, read.body, deviceOf)
    if (read.problem !== undefined) warn(`What patterns found before is not known. ${read.problem}`)
    return new GlobWatch(path, { patterns: {}, deleted: {}, devices: {} }, deviceOf)
  }

  get vanished(): readonly VanishedDatabases[] {
    return this.#vanished
  }

  get deleted(): readonly DeletedDatabase[] {
    return Object.entries(this.#body.deleted).map(([path, { name, since }]) => ({ path, name, since }))
  }

  /** Paths of the databases that it found when it was last looked. */
  remembered(pattern: string, exclude: readonly string[]): readonly string[] {
    return [...this.rememberedNames(pattern, exclude).keys()]
  }

  /** As {@link remembered}: the names of these databases in the repository, by path. */
  rememberedNames(pattern: string, exclude: readonly string[]): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#body.patterns[keyOf(pattern, exclude)]?.databases ?? {}))
  }

  /**
   * Compares what was found now with what was found before. An entry whose patterns have changed begins anew.
   * @param now milliseconds since 1970
   */
  async look(entries: readonly DatabaseConfig[], found: readonly FoundDatabase[], now: number): Promise<void> {
    const present = new Set(found.map(({ path }) => path))
    const patterns: Body['patterns'] = {}
    const vanished: VanishedDatabases[] = []
    const deleted = { ...this.#body.deleted }
    await this.#devices.note(this.#ofPatterns(found), { anew: false, now })
    for (const config of entries) {
      const { source } = config
      if (source.kind !== 'glob') continue
      for (const pattern of source.patterns) {
        const key = keyOf(pattern, source.exclude)
        const before = this.#body.patterns[key] ?? { device: null, databases: {}, since: null }
        const nameOf = (path: string): string => before.databases[path] ?? path
        const databases: Record<string, string> = {}
        for (const each of found) if (each.pattern === pattern) databases[each.path] = each.name
        const missing: string[] = []
        for (const path of Object.keys(before.databases)) {
          if (present.has(path)) continue
          // What is there is left alone for a reason, such as being the same file as another.
          const { state } = await presenceOf(path)
          if (state === 'gone') missing.push(path)
          else if (state === 'hidden') databases[path] = nameOf(path)
        }
        const root = await rootState(fixedPart(pattern))
        const device = root.state === 'there' ? root.device : before.device
        const { away, reason } = await this.#whatIsAway(before, missing, root, { found, now })
        for (const path of missing) if (!away.includes(path)) deleted[path] ??= { name: nameOf(path), since: now }
        if (reason === undefined) {
          patterns[key] = { device, databases, since: null }
          continue
        }
        const since = Math.min(before.since ?? now, now)
        const gone = away.map((path) => ({ name: nameOf(path), path, config }))
        vanished.push({ pattern, since, reason, databases: gone })
        for (const { path, name } of gone) databases[path] = name
        patterns[key] = { device: before.device, databases, since }
      }
    }
    for (const [path, { since }] of Object.entries(deleted))
      if (present.has(path) || now >= since + rememberMs) delete deleted[path]
    const devices = this.#devices.keep(Object.values(patterns).flatMap(({ databases }) => Object.keys(databases)))
    this.#body = { patterns, deleted, devices }
    this.#vanished = vanished
  }

  /** Those of a pattern that are gone and that were hardly deleted, and why. */
  async #whatIsAway(
    before: Body['patterns'][string],
    missing: readonly string[],
    root: RootState,
    { found, now }: { readonly found: readonly FoundDatabase[]; readonly now: number },
  ): Promise<{ readonly away: readonly string[]; readonly reason: string | undefined }> {
    if (missing.length === 0) return { away: [], reason: undefined }
    const reason = whyVanished({ device: before.device, paths: Object.keys(before.databases) }, missing, root)
    if (reason !== undefined) return { away: missing, reason }
    // Where file systems have other numbers than before, those that are there show it.
    await this.#devices.note(this.#ofPatterns(found), { anew: true, now })
    const away: string[] = []
    for (const path of missing) if (await this.#devices.isAway(path)) away.push(path)
    return { away, reason: away.length === 0 ? undefined : 'the file system that it lies on is not there' }
  }

  #ofPatterns(found: readonly FoundDatabase[]): string[] {
    return found.flatMap(({ path, pattern }) => (pattern === undefined ? [] : [path]))
  }

  /** Writes down what is new, if anything is. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async save(): Promise<void> {
    const text = JSON.stringify(this.#body)
    if (text === this.#written) return
    await writeState('globs', this.#body, this.#path)
    this.#written = text
  }
}

function keyOf(pattern: string, exclude: readonly string[]): string {
  return JSON.stringify([pattern, ...exclude])
}

async function rootState(path: string): Promise<RootState> {
  try {
    const [{ dev }, entries] = await Promise.all([stat(path), readdir(path)])
    return { state: 'there', device: dev, isEmpty: entries.length === 0 }
  } catch (thrown) {
    return isAbsence(thrown) ? { state: 'gone' } : { state: 'gone', problem: messageOf(thrown) }
  }
}
