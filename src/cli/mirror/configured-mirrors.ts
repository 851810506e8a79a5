import type { MirrorConfig } from '../../agent/config/config.ts'
import { exists } from '../config/locate-repository.ts'
import type { Session } from '../session.ts'

/** Those of the configuration, if there is one. @throws CONFIG_INVALID, ACCESS_DENIED */
export async function configuredMirrors({ configFile }: Session): Promise<readonly MirrorConfig[]> {
  if (!configFile.isGiven && !(await exists(configFile.path))) return []
  const { requireConfig } = await import('../../agent/config/load-config.ts')
  return (await requireConfig(configFile.path)).mirrors
}
