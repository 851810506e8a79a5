import { stringify } from 'yaml'
import { requireConfig } from '../../agent/config/load-config.ts'
import { configDocument } from '../../agent/config/show/config-document.ts'
import type { Outcome } from '../session.ts'

/** @throws CONFIG_INVALID */
export async function showConfig(path: string): Promise<Outcome<'config show'>> {
  const config = configDocument(await requireConfig(path))
  return {
    data: { file: path, config },
    text: stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd(),
  }
}
