import { resolve } from 'node:path'
import { defaultAlertSettings } from '../../notify/engine/alert-settings.ts'
import type { ConcurrencyConfig, Config, ServerConfig } from '../config.ts'
import type { ConfigInput } from '../schema/config-schema.ts'
import { parseListen, usualListen } from './listen-address.ts'
import { resolveRepository } from './repository-location.ts'
import { resolveDatabase } from './resolve-database.ts'
import { resolveHooks } from './resolve-hook.ts'
import { resolveMirrors } from './resolve-mirrors.ts'
import { resolveNotify } from './resolve-notify.ts'

export interface Surroundings {
  /** Absolute. */
  readonly file: string
  readonly folder: string
  /** The files that channels name, by absolute path. */
  readonly secrets: ReadonlyMap<string, string>
  readonly cores: number
}

/** What was checked, with defaults in place. */
export function resolveConfig(input: ConfigInput, { file, folder, secrets, cores }: Surroundings): Config {
  const { defaults = {}, timeZone, stateFolder, log = {} } = input
  const hooks = resolveHooks(input.hooks, 'hooks')
  return {
    file,
    repository: resolveRepository(input.repository, folder),
    stateFolder: stateFolder === undefined ? undefined : resolve(folder, stateFolder),
    databases: input.databases.map((database, index) =>
      resolveDatabase(database, { folder, defaults, hooks, timeZone, place: `databases[${index}]` }),
    ),
    mirrors: resolveMirrors(input.mirrors ?? [], { folder, timeZone, hooks }),
    concurrency: concurrencyOf(input.concurrency, cores),
    notify: resolveNotify(input.notify ?? [], { folder, secrets }),
    repeatAlertsMs: input.repeatAlerts ?? defaultAlertSettings.repeatMs,
    server: serverOf(input.server),
    log: { level: log.level ?? 'info', format: log.format ?? 'text' },
    stopTimeoutMs: input.stopTimeout ?? 30_000,
  }
}

function concurrencyOf(said: ConfigInput['concurrency'], cores: number): ConcurrencyConfig {
  const { operations = 2, workers = cores } = typeof said === 'number' ? { operations: said } : (said ?? {})
  return { operations, workers }
}

function serverOf(said: ConfigInput['server'] = false): ServerConfig | undefined {
  if (said === false) return undefined
  const { listen = usualListen, allowRemote = false } = said === true ? {} : said
  const address = parseListen(listen)
  return address === undefined ? undefined : { ...address, allowRemote }
}
