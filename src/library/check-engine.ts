import { z } from 'zod'
import type { EngineSettings } from '../backup/manager-options.ts'
import { parseOptions } from '../engine/parse-options.ts'

const settings = z.looseObject({ execPath: z.string().min(1).optional(), graceMs: z.number().min(0).optional() })
const withEngine = z.looseObject({ engine: settings.optional() })

/** @throws USAGE */
export function checkEngine(options: { readonly engine?: EngineSettings | undefined }): void {
  parseOptions(withEngine, options)
}
