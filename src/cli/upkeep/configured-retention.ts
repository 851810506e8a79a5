import type { RetentionConfig } from '../../agent/config/config.ts'
import { requireConfig } from '../../agent/config/load-config.ts'
import { maskLocation } from '../../agent/config/show/mask.ts'
import type { FoundDatabase } from '../../agent/discovery/discover.ts'
import { RecordedPlaces } from '../../agent/discovery/recorded-places.ts'
import type { Repository } from '../../repository/repository.ts'
import { exists } from '../config/locate-repository.ts'
import { isSamePlace } from '../config/same-place.ts'
import { type Configured, findDatabases, readConfigured } from '../schedule/configured.ts'
import type { Session } from '../session.ts'
import { usageError } from '../usage-error.ts'

/** What a configuration says to keep, by the name of a database; undefined of one of which it does not speak. */
export type ConfiguredRetention = ReadonlyMap<string, RetentionConfig>

/**
 * The databases of the configuration by their names in the repository, also those that are away, if there is one, and it is about this
 * repository: a policy given by hand would otherwise have to be given each time, and forgetting it would cost backups.
 * @throws USAGE if a configuration was named that is about another repository; CONFIG_INVALID, ACCESS_DENIED
 */
export async function configuredDatabases(
  session: Session,
  repository: Repository,
): Promise<ReadonlyMap<string, FoundDatabase> | undefined> {
  const { configFile, location, output, signal } = session
  if (!(await hasConfig(session))) return undefined
  const config = await requireConfig(configFile.path)
  if (!(await isSamePlace(config.repository, location))) {
    const problem = `The configuration ${configFile.path} is about another repository: ${maskLocation(config.repository)}, not ${maskLocation(location)}.`
    if (configFile.isGiven)
      throw usageError(
        problem,
        'What it says to keep does not count here. Leave it out, or give a policy by options such as --keep-daily; or leave out --repository (HOLDFAST_REPOSITORY).',
      )
    output.note(`${problem} What it says to keep does not count here.`)
    return undefined
  }
  const log = { debug: (message: string) => output.detail(message) }
  return byName(await findDatabases(session, config, new RecordedPlaces({ repository, log, signal })))
}

/** What the configuration says to keep, whatever the repository. @throws CONFIG_INVALID, ACCESS_DENIED */
export async function retentionAnywhere(session: Session): Promise<ConfiguredRetention> {
  if (!(await hasConfig(session))) return new Map()
  const databases = byName(await readConfigured(session))
  return new Map(
    [...databases].flatMap(
      ([
        name,
        {
          config: { retention },
        },
      ]) => (retention ? [[name, retention]] : []),
    ),
  )
}

/** Of two of one name, what is there counts, and then the first. */
function byName({ databases, away }: Configured): ReadonlyMap<string, FoundDatabase> {
  const all = new Map<string, FoundDatabase>()
  for (const database of [...databases, ...away]) if (!all.has(database.name)) all.set(database.name, database)
  return all
}

async function hasConfig({ configFile }: Session): Promise<boolean> {
  return configFile.isGiven || (await exists(configFile.path))
}
