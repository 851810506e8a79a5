import type { RetentionConfig } from '../../agent/config/config.ts'
import { exists } from '../config/locate-repository.ts'
import type { Session } from '../session.ts'

/**
 * What the configuration says to keep of a database, if there is one that also says where its repository is: a policy given by hand would
 * otherwise have to be given each time, and forgetting it would cost backups.
 * @throws CONFIG_INVALID, ACCESS_DENIED
 */
export async function configuredRetention(session: Session, database: string): Promise<RetentionConfig | undefined> {
  const { configFile, location } = session
  if (!configFile.isGiven && !(await exists(configFile.path))) return undefined
  const { readConfigured } = await import('../schedule/configured.ts')
  const { config, databases } = await readConfigured(session)
  if (config.repository !== location) return undefined
  return databases.find(({ name }) => name === database)?.config.retention
}
