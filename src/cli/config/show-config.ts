import { stringify } from 'yaml'
import { loadConfig } from '../../agent/config/load-config.ts'
import { ConfigError } from '../../agent/config/problem.ts'
import { configDocument } from '../../agent/config/show/config-document.ts'
import { maskCommands } from '../../agent/config/show/mask.ts'
import type { Outcome } from '../session.ts'

/** @throws CONFIG_INVALID */
export async function showConfig(path: string): Promise<Outcome<'config show'>> {
  const loaded = await loadConfig(path)
  if (loaded.value === undefined) throw new ConfigError(path, loaded)
  const { value, text } = loaded
  const config = maskCommands(configDocument(value), text, process.env)
  return {
    data: { file: path, config },
    text: stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd(),
  }
}
