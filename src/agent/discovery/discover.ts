import { glob, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, sep } from 'node:path'
import { databaseNameFrom } from '../../repository/layout.ts'
import type { DatabaseConfig } from '../config/config.ts'
import { hasDatabaseHeader } from './database-header.ts'
import { fixedPart, nameBelow } from './database-names.ts'
import type { KnownPlaces, NameBook } from './name-book.ts'
import { hidingProblem, messageOf, presenceOf } from './presence.ts'
import { SameFiles } from './same-files.ts'

export interface FoundDatabase {
  /** In the repository. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly config: DatabaseConfig
  /** That found it; undefined if it was named by its path. */
  readonly pattern?: string | undefined
}

/** One that a pattern found before and that is not as it was. */
export interface TroubledDatabase extends FoundDatabase {
  /** What is wrong, as a sentence about it. */
  readonly trouble: string
}

export interface Discovery {
  readonly databases: readonly FoundDatabase[]
  /** Those among them that are not as a pattern found them before. */
  readonly troubled: readonly TroubledDatabase[]
  /** Files that a pattern found and that are left alone, with the reason. */
  readonly ignored: ReadonlyMap<string, string>
}

/** SQLite's own files beside a database. */
const companions = /-(wal|shm|journal)$/

export interface DiscoverOptions {
  /** Paths of databases that are looked after already: they are not looked into again. */
  readonly known?: ReadonlySet<string> | undefined
  /** Those among them that were not as before: they are looked into until they are. */
  readonly doubted?: ReadonlySet<string> | undefined
  /** Paths of the databases that a pattern found before: they are databases, whatever became of them, unless they are gone. */
  readonly remembered?: ((pattern: string, exclude: readonly string[]) => readonly string[]) | undefined
  /** Where the databases of the repository are from; undefined: nobody is asked. */
  readonly places?: KnownPlaces | undefined
  /** What lies below these folders is Holdfast's own. */
  readonly ownFolders?: readonly string[] | undefined
}

/** What an entry names, or a pattern of it found. */
interface Candidate {
  readonly path: string
  readonly config: DatabaseConfig
  readonly pattern?: string | undefined
  /** The name that the configuration gives. */
  readonly name?: string | undefined
  readonly isRemembered: boolean
  /** Why no listing shows it, though it is there. */
  readonly hiddenBy?: string | undefined
}

/**
 * The databases that the configuration names and its patterns find now. Of one that is named by its path it does not matter whether it is
 * there: that it is missing is a failure to be told; nor of one that a pattern found before, what became of it, unless it is gone. A path that
 * several entries find belongs to the first; a file that several paths lead to, to an entry that names it, then to what is looked after already.
 */
export async function discover(
  entries: readonly DatabaseConfig[],
  names: NameBook,
  options: DiscoverOptions = {},
): Promise<Discovery> {
  const { known = new Set(), doubted = new Set(), places } = options
  const candidates = await listCandidates(entries, options)
  const ignored = new Map<string, string>()
  const troubles = new Map<string, string>()
  const files = new SameFiles()
  const rank = ({ path, pattern, isRemembered }: Candidate): number =>
    (pattern === undefined ? 0 : 2) + (known.has(path) || isRemembered ? 0 : 1)
  let areNewNamed = false
  for (const candidate of candidates.toSorted((a, b) => rank(a) - rank(b))) {
    const { path, pattern } = candidate
    const isKnown = known.has(path)
    const trouble = await troubleOf(candidate, isKnown && !doubted.has(path))
    if (trouble !== undefined) (candidate.isRemembered ? troubles : ignored).set(path, trouble)
    if (ignored.has(path)) continue
    if (pattern === undefined && !isKnown) areNewNamed = true
    // What is looked after was compared with all others when it came.
    const same = isKnown && !areNewNamed ? undefined : await files.reasonToIgnore(path)
    if (same !== undefined) ignored.set(path, same)
    else files.add(path)
  }
  const given = givenNames(entries)
  const kept = candidates
    .filter(({ path }) => !ignored.has(path))
    .map(({ path, config, pattern, name }) => {
      const wanted = pattern === undefined ? databaseNameFrom(basename(path)) : nameBelow(pattern, path)
      return { path, config, pattern, name, wanted }
    })
  if (places !== undefined)
    await names.recall(
      kept.filter(({ name }) => name === undefined),
      places,
    )
  const databases = kept.map(({ path, config, pattern, name, wanted }) => {
    return { name: name ?? names.nameOf(path, wanted, given), path, config, pattern }
  })
  const troubled = databases.flatMap((database) => {
    const trouble = troubles.get(database.path)
    return trouble === undefined ? [] : [{ ...database, trouble }]
  })
  return { databases, troubled, ignored }
}

async function listCandidates(
  entries: readonly DatabaseConfig[],
  { known = new Set(), remembered = () => [], ownFolders = [] }: DiscoverOptions,
): Promise<readonly Candidate[]> {
  const candidates = new Map<string, Candidate>()
  for (const config of entries) {
    const { source } = config
    if (source.kind === 'path') {
      const { path, name } = source
      if (!candidates.has(path)) candidates.set(path, { path, config, name, isRemembered: false })
      continue
    }
    for (const pattern of source.patterns) {
      const isOther = (path: string): boolean => companions.test(path) || isWithin(path, ownFolders)
      const former = new Set(remembered(pattern, source.exclude))
      for (const path of await matches(pattern, source.exclude)) {
        const isRemembered = former.delete(path) || known.has(path)
        if (!candidates.has(path) && !isOther(path)) candidates.set(path, { path, config, pattern, isRemembered })
      }
      // A listing says nothing of what it could not read.
      for (const path of former) {
        if (candidates.has(path) || isOther(path)) continue
        const presence = await presenceOf(path)
        if (presence.state === 'gone') continue
        const hiddenBy = presence.state === 'hidden' ? presence.problem : await hidingProblem(path, fixedPart(pattern))
        candidates.set(path, { path, config, pattern, isRemembered: true, hiddenBy })
      }
    }
  }
  return [...candidates.values()]
}

function givenNames(entries: readonly DatabaseConfig[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  for (const { source } of entries)
    if (source.kind === 'path' && source.name !== undefined) given.set(source.name, source.path)
  return given
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

/** Why what a pattern found is no database, or not as it was. */
async function troubleOf(
  { path, config, pattern, isRemembered, hiddenBy }: Candidate,
  isTrusted: boolean,
): Promise<string | undefined> {
  if (hiddenBy !== undefined) return `it cannot be looked at (${hiddenBy})`
  if (pattern === undefined || isTrusted) return undefined
  try {
    const facts = await stat(path)
    if (facts.isFile() && facts.size === 0)
      return isRemembered ? 'it is empty, and was not before' : 'it is empty, so far'
    // Following fails, and tells that.
    if (isRemembered && config.follow !== undefined) return undefined
    if (!facts.isFile()) return 'it is no file'
    return (await hasDatabaseHeader(path)) ? undefined : 'it is no SQLite database'
  } catch (thrown) {
    return messageOf(thrown)
  }
}
