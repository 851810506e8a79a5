import { join } from 'node:path'
import { userStateFolder } from '../util/user-state-folder.ts'

/** Where the spool and the position of a followed database lie unless told otherwise. */
export function defaultStateFolder(
  repositoryId: string,
  database: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(userStateFolder(environment, platform), repositoryId, database)
}
