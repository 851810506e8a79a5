import { basename } from 'node:path'
import { databaseNameFrom } from '../../../repository/layout.ts'
import type { NameBook } from '../../discovery/name-book.ts'
import type { Config, DatabaseConfig, NotifyConfig } from '../config.ts'
import { nearest } from '../nearest.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { ConfigNote } from './find-nothing.ts'
import { canFind } from './possible-names.ts'

type Configured = Pick<Config, 'databases' | 'mirrors' | 'notify'>

/** Databases and schedules below `notify` that no entry can be meant by: mistyped, perhaps. Nobody would ever be told of them there. */
export function findNobody(config: Configured, names: Pick<NameBook, 'nameOf'>): ConfigNote[] {
  const entries = namedEntries(config.databases, names)
  return config.notify.flatMap((channel, index) => notesOf(channel, ['notify', index], entries, config))
}

interface Entry {
  readonly config: DatabaseConfig
  /** Undefined of a pattern. */
  readonly name: string | undefined
}

function namedEntries(databases: readonly DatabaseConfig[], names: Pick<NameBook, 'nameOf'>): readonly Entry[] {
  const given = new Map<string, string>()
  for (const { source } of databases)
    if (source.kind === 'path' && source.name !== undefined) given.set(source.name, source.path)
  return databases.map((config) => {
    const { source } = config
    if (source.kind === 'glob') return { config, name: undefined }
    return { config, name: source.name ?? names.nameOf(source.path, databaseNameFrom(basename(source.path)), given) }
  })
}

function notesOf(
  channel: NotifyConfig,
  path: ConfigPath,
  entries: readonly Entry[],
  { mirrors }: Configured,
): readonly ConfigNote[] {
  if (channel.type !== 'heartbeat')
    return (channel.databases ?? []).flatMap((name, index) => unknownName(name, [...path, 'databases', index], entries))
  const { database, schedule } = channel.settings
  const meant = database === undefined ? entries : calledBy(database, entries)
  if (database !== undefined && meant.length === 0)
    return unknownName(database, [...path, 'heartbeat', 'database'], entries)
  if (schedule === undefined) return []
  const own = meant.flatMap(({ config: { schedules } }) => schedules.map(({ id }) => id))
  const ids = [...own, ...(database === undefined ? mirrors.map((mirror) => mirror.schedule.id) : [])]
  if (ids.includes(schedule)) return []
  const whose = database === undefined ? 'No database or mirror here' : `Nothing that can have the name "${database}"`
  const message = `${whose} has a schedule with the id "${schedule}".${meaning(schedule, ids)} "holdfast schedule list" shows them.`
  return [{ path: [...path, 'heartbeat', 'schedule'], message }]
}

function calledBy(name: string, entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ config: { source }, name: own }) =>
    source.kind === 'path' ? own === name : source.patterns.some((pattern) => canFind(pattern, name)),
  )
}

function unknownName(name: string, path: ConfigPath, entries: readonly Entry[]): readonly ConfigNote[] {
  if (calledBy(name, entries).length > 0) return []
  const known = entries.flatMap(({ name }) => name ?? [])
  return [{ path, message: `No database here has the name "${name}", or can get it.${meaning(name, known)}` }]
}

function meaning(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? '' : ` Did you mean "${near}"?`
}
