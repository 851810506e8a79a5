import { dirname, join, resolve } from 'node:path'
import { agentSocket } from '../../agent/agent-lock.ts'
import { agentFolder } from '../../agent/agent-parts.ts'
import type { Config } from '../../agent/config/config.ts'
import { requireConfig } from '../../agent/config/load-config.ts'
import { discover, type FoundDatabase } from '../../agent/discovery/discover.ts'
import { GlobWatch } from '../../agent/discovery/glob-watch.ts'
import { NameBook } from '../../agent/discovery/name-book.ts'
import type { ScheduleSpec } from '../../agent/schedule/schedule-spec.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { Session } from '../session.ts'

/** The configuration, and the databases that it means now. */
export interface Configured {
  readonly config: Config
  /** Where the agent keeps its own files. */
  readonly folder: string
  readonly databases: readonly FoundDatabase[]
}

/** @throws CONFIG_INVALID, ACCESS_DENIED */
export async function readConfigured({ configFile, output }: Session): Promise<Configured> {
  const config = await requireConfig(configFile.path)
  const folder = agentFolder(config)
  const warn = (message: string): void => output.warn(message)
  const names = await NameBook.read(join(folder, 'names.json'), warn)
  const globs = await GlobWatch.read(join(folder, 'globs.json'), warn)
  const { databases } = await discover(config.databases, names, { remembered: globs.remembered.bind(globs) })
  return { config, folder, databases }
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
