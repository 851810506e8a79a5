import { glob, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, sep } from 'node:path'
import { databaseNameFrom } from '../../repository/layout.ts'
import type { DatabaseConfig } from '../config/config.ts'
import { hasDatabaseHeader } from './database-header.ts'
import { fixedPart, nameBelow } from './database-names.ts'
import type { NameBook } from './name-book.ts'

export interface FoundDatabase {
  /** In the repository. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly config: DatabaseConfig
  /** That found it; undefined if it was named by its path. */
  readonly pattern?: string | undefined
}

export interface Discovery {
  readonly databases: readonly FoundDatabase[]
  /** Files that a pattern found and that are left alone, with the reason. */
  readonly ignored: ReadonlyMap<string, string>
}

/** SQLite's own files beside a database. */
const companions = /-(wal|shm|journal)$/

export interface DiscoverOptions {
  /** Paths of databases that are looked after already: they are not looked into again. */
  readonly known?: ReadonlySet<string> | undefined
  /** What lies below these folders is Holdfast's own. */
  readonly ownFolders?: readonly string[] | undefined
}

/**
 * The databases that the configuration names and its patterns find now. Of one that is named by its path it does not matter whether it is
 * there: that it is missing is a failure to be told. A file that several entries find belongs to the first.
 */
export async function discover(
  entries: readonly DatabaseConfig[],
  names: NameBook,
  { known = new Set(), ownFolders = [] }: DiscoverOptions = {},
): Promise<Discovery> {
  const found = new Map<string, FoundDatabase>()
  const ignored = new Map<string, string>()
  const given = new Map<string, string>()
  for (const { source } of entries)
    if (source.kind === 'path' && source.name !== undefined) given.set(source.name, source.path)
  const files = new SameFiles(found)
  for (const config of entries) {
    const { source } = config
    if (source.kind === 'path') {
      const { path } = source
      if (found.has(path)) continue
      const reason = known.has(path) ? undefined : await files.reasonToIgnore(path)
      const name = source.name ?? names.nameOf(path, databaseNameFrom(basename(path)), given)
      if (reason === undefined) found.set(path, { name, path, config })
      else ignored.set(path, reason)
      continue
    }
    for (const pattern of source.patterns) {
      for (const path of await matches(pattern, source.exclude)) {
        if (found.has(path) || companions.test(path) || isWithin(path, ownFolders)) continue
        const reason = known.has(path)
          ? undefined
          : ((await reasonToIgnore(path)) ?? (await files.reasonToIgnore(path)))
        if (reason === undefined)
          found.set(path, { name: names.nameOf(path, nameBelow(pattern, path), given), path, config, pattern })
        else ignored.set(path, reason)
      }
    }
  }
  return { databases: [...found.values()], ignored }
}

/** Two that follow one file by two names would store it twice. */
class SameFiles {
  readonly #found: ReadonlyMap<string, FoundDatabase>
  /** Of found paths, by their real path. Only asked for when something new comes: at rest, this costs nothing. */
  readonly #paths = new Map<string, string>()
  readonly #seen = new Set<string>()

  constructor(found: ReadonlyMap<string, FoundDatabase>) {
    this.#found = found
  }

  async reasonToIgnore(path: string): Promise<string | undefined> {
    const file = await realPath(path)
    if (file === undefined) return undefined
    for (const other of this.#found.keys()) {
      if (this.#seen.has(other)) continue
      this.#seen.add(other)
      const real = await realPath(other)
      if (real !== undefined) this.#paths.set(real, other)
    }
    const same = this.#paths.get(file)
    return same === undefined ? undefined : `it is the same file as ${same}`
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

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
}

async function matches(pattern: string, exclude: readonly string[]): Promise<string[]> {
  const paths: string[] = []
  for await (const match of glob(pattern, { exclude })) {
    paths.push(isAbsolute(match) ? match : join(fixedPart(pattern), match))
  }
  return paths.sort()
}

async function reasonToIgnore(path: string): Promise<string | undefined> {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) return 'it is no file'
    if (facts.size === 0) return 'it is empty, so far'
    return (await hasDatabaseHeader(path)) ? undefined : 'it is no SQLite database'
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}
