import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import type { CommandName } from '../json/schemas.ts'
import type { GlobalFlags } from '../program.ts'
import type { ConfigFile } from './config-file.ts'

export interface RepositoryLocation {
  /** Path or URL. */
  readonly location: string
  /** The same command finds it without `--repository`. */
  readonly isImplied: boolean
}

/** Those that work where the configuration is wrong, and with no repository. */
const withoutRepository: readonly CommandName[] = ['completion', 'config check', 'config show', 'config example']

/**
 * Where the repository is: as given, else as the configuration file says, else in the default place.
 * @throws CONFIG_INVALID if there is a file that does not say so
 */
export async function locateRepository(
  command: Command,
  name: CommandName,
  { repository, config }: Pick<GlobalFlags, 'repository' | 'config'>,
  file: ConfigFile,
): Promise<RepositoryLocation> {
  const isGiven = command.getOptionValueSourceWithGlobals('repository') !== 'default'
  if (isGiven) return { location: repository, isImplied: false }
  if (withoutRepository.includes(name) || !(file.isGiven || (await exists(file.path))))
    return { location: repository, isImplied: true }
  const [{ loadRepositoryLocation }, { ConfigError }] = await Promise.all([
    import('../../agent/config/load-repository-location.ts'),
    import('../../agent/config/problem.ts'),
  ])
  const loaded = await loadRepositoryLocation(file.path)
  if (loaded.problems !== undefined) throw new ConfigError(file.path, loaded)
  return { location: loaded.value, isImplied: config === undefined }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    // One that cannot be looked at is no file of this folder.
    return false
  }
}
