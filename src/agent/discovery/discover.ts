import { glob, stat } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
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
}

export interface Discovery {
  readonly databases: readonly FoundDatabase[]
  /** Files that a pattern found and that are left alone, with the reason. */
  readonly ignored: ReadonlyMap<string, string>
}

/** SQLite's own files beside a database. */
const companions = /-(wal|shm|journal)$/

/**
 * The databases that the configuration names and its patterns find now. Of one that is named by its path it does not matter whether it is
 * there: that it is missing is a failure to be told. A file that several entries find belongs to the first.
 * @param known paths of databases that are looked after already: they are not looked into again
 */
export async function discover(
  entries: readonly DatabaseConfig[],
  names: NameBook,
  known: ReadonlySet<string> = new Set(),
): Promise<Discovery> {
  const found = new Map<string, FoundDatabase>()
  const ignored = new Map<string, string>()
  for (const config of entries) {
    const { source } = config
    if (source.kind === 'path') {
      const name = source.name ?? names.nameOf(source.path, databaseNameFrom(basename(source.path)))
      if (!found.has(source.path)) found.set(source.path, { name, path: source.path, config })
      continue
    }
    for (const pattern of source.patterns) {
      for (const path of await matches(pattern, source.exclude)) {
        if (found.has(path) || companions.test(path)) continue
        const reason = known.has(path) ? undefined : await reasonToIgnore(path)
        if (reason === undefined) found.set(path, { name: names.nameOf(path, nameBelow(pattern, path)), path, config })
        else ignored.set(path, reason)
      }
    }
  }
  return { databases: [...found.values()], ignored }
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
