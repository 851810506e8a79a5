import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the system keeps what a program must remember of this machine for this user: no cache, and not to be synchronised. */
export function defaultStateFolder(
  repositoryId: string,
  database: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(userStateFolder(environment, platform), 'holdfast', repositoryId, database)
}

function userStateFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const chosen = environment['XDG_STATE_HOME']
  if (chosen?.startsWith('/')) return chosen
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local')
  return join(homedir(), '.local', 'state')
}
