import type { Config, DatabaseConfig, ServerConfig } from '../config.ts'
import { escaped } from '../interpolate.ts'
import { databaseDocument, hookDocument } from './database-document.ts'
import { maskLocation } from './mask.ts'
import { mirrorDocument } from './mirror-document.ts'
import { notifyDocument } from './notify-document.ts'
import { durationText } from './units.ts'

/**
 * What a configuration comes down to, in the form in which it is written: defaults in place, paths absolute, secrets masked. Read
 * again, it means the same, but for the secrets.
 */
export function configDocument(config: Config): Readonly<Record<string, unknown>> {
  const {
    repository,
    stateFolder,
    databases,
    mirrors,
    concurrency,
    notify,
    repeatAlertsMs,
    server,
    log,
    stopTimeoutMs,
  } = config
  // Those of the file stand before those of each database, and are the only ones of mirrors.
  const hooks = mirrors[0]?.hooks ?? []
  const withOwnHooks = (database: DatabaseConfig) => ({ ...database, hooks: database.hooks.slice(hooks.length) })
  return written({
    repository: maskLocation(repository),
    stateFolder,
    databases: databases.map((database) => databaseDocument(withOwnHooks(database))),
    mirrors: mirrors.map(mirrorDocument),
    hooks: hooks.length === 0 ? undefined : hooks.map(hookDocument),
    concurrency,
    notify: notify.map(notifyDocument),
    repeatAlerts: durationText(repeatAlertsMs),
    server: server === undefined ? false : { listen: listenText(server), allowRemote: server.allowRemote },
    log,
    stopTimeout: durationText(stopTimeoutMs),
  })
}

function listenText({ host, port }: ServerConfig): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Without what is undefined. */
function written(mapping: object): Readonly<Record<string, unknown>> {
  const said = Object.entries(mapping).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said.map(([key, value]) => [key, writtenValue(value)]))
}

function writtenValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(writtenValue)
  if (typeof value === 'object' && value !== null) return written(value)
  return typeof value === 'string' ? escaped(value) : value
}
