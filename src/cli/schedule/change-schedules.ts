import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DatabaseConfig } from '../../agent/config/config.ts'
import { loadConfig } from '../../agent/config/load-config.ts'
import { ConfigError } from '../../agent/config/problem.ts'
import { describeSchedule } from '../../agent/schedule/describe-schedule.ts'
import { addSchedule, type EditedConfig, removeSchedule } from '../../agent/schedule/edit/edit-schedules.ts'
import { nextRun } from '../../agent/schedule/next-run.ts'
import { parseScheduleSpec } from '../../agent/schedule/parse-schedule.ts'
import type { ScheduleInput } from '../../agent/schedule/schedule-input.ts'
import type { ScheduleSpec } from '../../agent/schedule/schedule-spec.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import { databaseNameFrom } from '../../repository/layout.ts'
import { connectToAgent } from '../agent/agent-client.ts'
import type { ScheduleFlags } from '../commands/schedule.ts'
import { isoTime } from '../json/to-json.ts'
import type { Outcome, Session } from '../session.ts'
import { type Configured, findSchedule, placesOf, readConfigured } from './configured.ts'
import { lockFile } from './lock-file.ts'
import { replaceFile } from './replace-file.ts'

/** @throws CONFIG_INVALID, USAGE, NAME_NOT_FOUND, ACCESS_DENIED, DISK_FULL */
export async function addToConfig(
  session: Session,
  database: string,
  { tag: tags, ...flags }: ScheduleFlags,
): Promise<Outcome<'schedule add'>> {
  const input: ScheduleInput = { ...plain(flags), ...(tags === undefined ? {} : { tags }) }
  const { id } = parseScheduleSpec(input)
  const { entry, schedules, ...done } = await change(session, database, (entry) => {
    if (entry.schedules.some((schedule) => schedule.id === id)) {
      throw new HoldfastError('USAGE', `${nameOf(entry)} has a schedule "${id}" already.`, {
        object: id,
        hint: 'Remove that first, or give this one another --id.',
      })
    }
    return (text, place) => addSchedule(text, place, input)
  })
  const added = findSchedule(nameOf(entry), schedules, id)
  return {
    data: { ...factsOf(session, entry, added), ...done },
    text: `${nameOf(entry)}: ${describeSchedule(added)}, as "${id}" in ${done.config}.${whenTaken(done.inForce)}`,
    brief: id,
  }
}

/** @throws CONFIG_INVALID, USAGE, NAME_NOT_FOUND, SCHEDULE_NOT_FOUND, ACCESS_DENIED, DISK_FULL */
export async function removeFromConfig(
  session: Session,
  database: string,
  id: string,
): Promise<Outcome<'schedule remove'>> {
  const {
    entry,
    schedules: _,
    ...done
  } = await change(session, database, (entry) => {
    const listed = entry.schedules.indexOf(findSchedule(nameOf(entry), entry.schedules, id))
    return (text, place) => removeSchedule(text, place, listed)
  })
  const schedule = findSchedule(nameOf(entry), entry.schedules, id)
  return {
    data: { ...factsOf(session, entry, schedule), ...done, next: null },
    text: `${nameOf(entry)}: no ${describeSchedule(schedule)} any more; "${id}" is gone from ${done.config}.${whenTaken(done.inForce)}`,
    brief: '',
  }
}

/** How a text changes, in which the entry of the database has a place. */
type Edit = (text: string, place: number) => EditedConfig

interface Edited {
  /** The database's, as it was. */
  readonly entry: DatabaseConfig
  /** Path of the configuration. */
  readonly file: string
  readonly copied: boolean
  /** That the database has now. */
  readonly schedules: readonly ScheduleSpec[]
}

interface Changed {
  readonly entry: DatabaseConfig
  /** Path of the configuration. */
  readonly config: string
  readonly copied: boolean
  readonly inForce: boolean
  /** That the database has now. */
  readonly schedules: readonly ScheduleSpec[]
}

async function change(session: Session, database: string, think: (entry: DatabaseConfig) => Edit): Promise<Changed> {
  const { entry, file, copied, schedules } = await edit(session, database, think)
  if (copied)
    session.output.note(
      'It has a list of schedules of its own now, which begins with those that it had from elsewhere.',
    )
  return { entry, config: file, copied, inForce: await takenUp(session), schedules }
}

async function edit(session: Session, database: string, think: (entry: DatabaseConfig) => Edit): Promise<Edited> {
  await using _lock = await lockFile(session.configFile.path, session.signal)
  const configured = await readConfigured(session)
  const entry = findEntry(configured, database)
  const { file, databases } = configured.config
  const place = databases.indexOf(entry)
  const change = think(entry)
  const before = await readFile(file, 'utf8')
  const { text, copied } = change(before, place)
  const read = async (path: string) => (path === file ? Buffer.from(text) : await readFile(path))
  const loaded = await loadConfig(file, { readFile: read })
  if (loaded.problems !== undefined) throw wouldBeWrong(file, new ConfigError(file, loaded))
  await replaceFile(file, before, text)
  return { entry, file, copied, schedules: loaded.value.databases[place]?.schedules ?? [] }
}

/** Lets a running agent read its configuration now, rather than when it notices. */
async function takenUp(session: Session): Promise<boolean> {
  try {
    using agent = await connectToAgent(session)
    await agent.call('reload', undefined, { signal: session.signal })
    return true
  } catch (thrown) {
    const { message } = toHoldfastError(thrown)
    if (!hasCode(thrown, 'NOT_RUNNING')) session.output.warn(`The agent could not be told of the change. ${message}`)
    return false
  }
}

/** By name, path or pattern, as the configuration has it. */
function findEntry({ config, databases }: Configured, wanted: string): DatabaseConfig {
  const places = placesOf(config, wanted)
  const entry = config.databases.find(({ source }) =>
    source.kind === 'path'
      ? nameOfPath(source) === wanted || places.includes(source.path)
      : source.patterns.some((pattern) => places.includes(pattern)),
  )
  if (entry !== undefined) return entry
  const found = databases.find(({ name, path }) => name === wanted || places.includes(path))
  if (found?.config.source.kind === 'glob') {
    const [pattern = ''] = found.config.source.patterns
    throw new HoldfastError(
      'USAGE',
      `${wanted} is one of those that the pattern ${pattern} finds, and has its schedules.`,
      {
        object: wanted,
        hint: 'Change those of the pattern, or give the database an entry of its own.',
      },
    )
  }
  if (found !== undefined) return found.config
  throw new HoldfastError('NAME_NOT_FOUND', `The configuration has no database "${wanted}".`, {
    object: wanted,
    hint: `It has ${config.databases.map(nameOf).join(', ')}.`,
  })
}

function nameOf({ source }: DatabaseConfig): string {
  return source.kind === 'path' ? nameOfPath(source) : source.patterns.join(', ')
}

function nameOfPath({ name, path }: { readonly name: string | undefined; readonly path: string }): string {
  return name ?? databaseNameFrom(basename(path))
}

function plain({
  type,
  id,
  every,
  at,
  cron,
  timeZone,
  afterCommits,
  afterBytes,
  quiet,
  jitter,
}: ScheduleFlags): ScheduleInput {
  const count = afterCommits !== undefined && /^\d+$/.test(afterCommits) ? Number(afterCommits) : afterCommits
  return { type, id, every, at, cron, timeZone, afterCommits: count, afterBytes, quiet, jitter }
}

function factsOf({ now }: Session, entry: DatabaseConfig, schedule: ScheduleSpec) {
  const next = nextRun(schedule.trigger, now())
  return {
    database: nameOf(entry),
    id: schedule.id,
    action: schedule.action,
    description: describeSchedule(schedule),
    next: next === undefined ? null : isoTime(next),
  }
}

function whenTaken(inForce: boolean): string {
  return inForce ? ' The running agent has taken that up.' : ''
}

function wouldBeWrong(file: string, cause: ConfigError): HoldfastError {
  const why = cause.problems.map(({ message }) => message).join(' ')
  return new HoldfastError('USAGE', `Nothing was changed, as the configuration would be wrong then: ${why}`, {
    object: file,
    cause,
  })
}
