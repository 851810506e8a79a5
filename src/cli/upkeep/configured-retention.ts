import type { RetentionConfig } from '../../agent/config/config.ts'
import { maskLocation } from '../../agent/config/show/mask.ts'
import { exists } from '../config/locate-repository.ts'
import { isSamePlace } from '../config/same-place.ts'
import { readConfigured } from '../schedule/configured.ts'
import type { Session } from '../session.ts'
import { usageError } from '../usage-error.ts'

/** What a configuration says to keep, by the name of a database; undefined of one of which it does not speak. */
export type ConfiguredRetention = ReadonlyMap<string, RetentionConfig>

/**
 * What the configuration says to keep, if there is one, and it is about this repository: a policy given by hand would otherwise have to be
 * given each time, and forgetting it would cost backups.
 * @throws USAGE if a configuration was named that is about another repository; CONFIG_INVALID, ACCESS_DENIED
 */
export async function configuredRetention(session: Session): Promise<ConfiguredRetention> {
  const { configFile, location, output } = session
  if (!(await hasConfig(session))) return new Map()
  const { config, databases } = await readConfigured(session)
  if (!(await isSamePlace(config.repository, location))) {
    const problem = `The configuration ${configFile.path} is about another repository: ${maskLocation(config.repository)}, not ${maskLocation(location)}.`
    if (configFile.isGiven)
      throw usageError(
        problem,
        'What it says to keep does not count here. Leave it out, or give a policy by options such as --keep-daily; or leave out --repository (HOLDFAST_REPOSITORY).',
      )
    output.note(`${problem} What it says to keep does not count here.`)
    return new Map()
  }
  return new Map(databases.flatMap(({ name, config: { retention } }) => (retention ? [[name, retention]] : [])))
}

/** As {@link configuredRetention}, whatever the repository. @throws CONFIG_INVALID, ACCESS_DENIED */
export async function retentionAnywhere(session: Session): Promise<ConfiguredRetention> {
  if (!(await hasConfig(session))) return new Map()
  const { databases } = await readConfigured(session)
  return new Map(databases.flatMap(({ name, config: { retention } }) => (retention ? [[name, retention]] : [])))
}

async function hasConfig({ configFile }: Session): Promise<boolean> {
  return configFile.isGiven || (await exists(configFile.path))
}
