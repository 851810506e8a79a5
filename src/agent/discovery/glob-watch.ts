import { readdir, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { DatabaseConfig } from '../config/config.ts'
import { readState, writeState } from '../state/state-document.ts'
import { fixedPart } from './database-names.ts'
import type { FoundDatabase } from './discover.ts'
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
})
type Body = z.infer<typeof body>

/** Databases of a pattern that went away all at once, and that are expected back. */
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

  private constructor(path: string, read: Body) {
    this.#path = path
    this.#body = read
    this.#written = JSON.stringify(read)
  }

  /** @throws ACCESS_DENIED, INTERNAL */
  static async read(path: string, warn: (message: string) => void): Promise<GlobWatch> {
    const read = await readState('globs', body, path)
    if (read.found) return new GlobWatch(path, read.body)
    if (read.problem !== undefined) warn(`What patterns found before is not known. ${read.problem}`)
    return new GlobWatch(path, { patterns: {}, deleted: {} })
  }

  get vanished(): readonly VanishedDatabases[] {
    return this.#vanished
  }

  get deleted(): readonly DeletedDatabase[] {
    return Object.entries(this.#body.deleted).map(([path, { name, since }]) => ({ path, name, since }))
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
    for (const config of entries) {
      const { source } = config
      if (source.kind !== 'glob') continue
      for (const pattern of source.patterns) {
        const key = JSON.stringify([pattern, ...source.exclude])
        const before = this.#body.patterns[key] ?? { device: null, databases: {}, since: null }
        const paths = Object.keys(before.databases)
        const missing = paths.filter((path) => !present.has(path))
        const root = await rootState(fixedPart(pattern))
        const reason = whyVanished({ device: before.device, paths }, missing, root)
        const databases: Record<string, string> = {}
        for (const each of found) if (each.pattern === pattern) databases[each.path] = each.name
        const device = root.state === 'there' ? root.device : before.device
        if (reason === undefined) {
          patterns[key] = { device, databases, since: null }
          for (const path of missing) deleted[path] ??= { name: before.databases[path] ?? path, since: now }
          continue
        }
        const since = Math.min(before.since ?? now, now)
        const gone = missing.map((path) => ({ name: before.databases[path] ?? path, path, config }))
        vanished.push({ pattern, since, reason, databases: gone })
        patterns[key] = { device: before.device, databases: { ...before.databases, ...databases }, since }
      }
    }
    for (const [path, { since }] of Object.entries(deleted))
      if (present.has(path) || now >= since + rememberMs) delete deleted[path]
    this.#body = { patterns, deleted }
    this.#vanished = vanished
  }

  /** Writes down what is new, if anything is. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async save(): Promise<void> {
    const text = JSON.stringify(this.#body)
    if (text === this.#written) return
    await writeState('globs', this.#body, this.#path)
    this.#written = text
  }
}

async function rootState(path: string): Promise<RootState> {
  try {
    const [{ dev }, entries] = await Promise.all([stat(path), readdir(path)])
    return { state: 'there', device: dev, isEmpty: entries.length === 0 }
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'gone' }
    return { state: 'gone', problem: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}
