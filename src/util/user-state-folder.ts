import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where Holdfast keeps what it must remember of this machine for this user: no cache, and not to be synchronised. */
export function userStateFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(systemStateFolder(environment, platform), 'holdfast')
}

function systemStateFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const chosen = environment['XDG_STATE_HOME']
  // A relative path is to be ignored: XDG Base Directory Specification, "Basics".
  if (chosen?.startsWith('/')) return chosen
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local')
  return join(homedir(), '.local', 'state')
}
