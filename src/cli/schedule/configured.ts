import { dirname, join, resolve } from 'node:path'
import { agentSocket } from '../../agent/agent-lock.ts'
import { agentFolder } from '../../agent/agent-parts.ts'
import type { Config, DatabaseConfig } from '../../agent/config/config.ts'
import { requireConfig } from '../../agent/config/load-config.ts'
import { discover, type FoundDatabase } from '../../agent/discovery/discover.ts'
import { GlobWatch } from '../../agent/discovery/glob-watch.ts'
import { type KnownPlaces, NameBook } from '../../agent/discovery/name-book.ts'
import type { ScheduleSpec } from '../../agent/schedule/schedule-spec.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { Session } from '../session.ts'

/** The configuration, and the databases that it means now. */
export interface Configured {
  readonly config: Config
  /** Where the agent keeps its own files. */
  readonly folder: string
  readonly databases: readonly FoundDatabase[]
  /** Those that an agent found by a pattern, and that are not there now. */
  readonly away: readonly FoundDatabase[]
}

/** @throws CONFIG_INVALID, ACCESS_DENIED */
export async function readConfigured(session: Session): Promise<Configured> {
  return await findDatabases(session, await requireConfig(session.configFile.path))
}

/** @param places of the repository, where it is open: by them a database has the name of its history. @throws ACCESS_DENIED */
export async function findDatabases(
  { output }: Session,
  config: Config,
  places?: KnownPlaces | undefined,
): Promise<Configured> {
  const folder = agentFolder(config)
  const warn = (message: string): void => output.warn(message)
  const names = await NameBook.read(join(folder, 'names.json'), warn)
  const globs = await GlobWatch.read(join(folder, 'globs.json'), warn)
  const { databases } = await discover(config.databases, names, { remembered: globs.remembered.bind(globs), places })
  return { config, folder, databases, away: whatIsAway(config.databases, databases, globs) }
}

function whatIsAway(
  entries: readonly DatabaseConfig[],
  found: readonly FoundDatabase[],
  globs: GlobWatch,
): readonly FoundDatabase[] {
  const there = new Set(found.flatMap(({ name, path }) => [name, path]))
  return entries.flatMap((config) => {
    const { source } = config
    if (source.kind !== 'glob') return []
    return source.patterns.flatMap((pattern) =>
      [...globs.rememberedNames(pattern, source.exclude)]
        .filter(([path, name]) => !there.has(path) && !there.has(name))
        .map(([path, name]) => ({ name, path, config, pattern })),
    )
  })
}

/** What a path on the command line may mean: it is as in the working folder, or as in the configuration. */
export function placesOf({ file }: Config, wanted: string): readonly string[] {
  return [resolve(wanted), resolve(dirname(file), wanted)]
}

/** By name or path. @throws NAME_NOT_FOUND */
export function findConfigured({ config, databases }: Configured, name: string): FoundDatabase {
  const places = placesOf(config, name)
  const found =
    databases.find((database) => database.name === name) ?? databases.find(({ path }) => places.includes(path))
  if (found !== undefined) return found
  throw new HoldfastError('NAME_NOT_FOUND', `The configuration has no database "${name}".`, {
    object: name,
    hint:
      databases.length === 0
        ? `${config.file} finds no database now.`
        : `It has ${databases.map((database) => database.name).join(', ')}.`,
  })
}

/** @throws SCHEDULE_NOT_FOUND */
export function findSchedule(name: string, schedules: readonly ScheduleSpec[], id: string): ScheduleSpec {
  const schedule = schedules.find((candidate) => candidate.id === id)
  if (schedule !== undefined) return schedule
  throw new HoldfastError('SCHEDULE_NOT_FOUND', `${name} has no schedule "${id}".`, {
    object: id,
    hint: schedules.length === 0 ? 'It has none.' : `It has ${schedules.map((each) => each.id).join(', ')}.`,
  })
}

export async function agentRuns(folder: string): Promise<boolean> {
  try {
    await agentSocket(folder)
    return true
  } catch (error) {
    if (hasCode(error, 'NOT_RUNNING')) return false
    throw error
  }
}
