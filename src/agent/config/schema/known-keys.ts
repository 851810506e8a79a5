import { z } from 'zod'
import type { ConfigPath } from '../yaml/config-path.ts'

/** The keys that a mapping at this path may have; none if there can be no mapping. */
export function knownKeys(schema: unknown, path: ConfigPath): readonly string[] {
  return schemasAt(schema, path).flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : []))
}

/** More than one below a union. */
function schemasAt(schema: unknown, path: ConfigPath): readonly unknown[] {
  if (schema instanceof z.ZodOptional) return schemasAt(schema.unwrap(), path)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => schemasAt(option, path))
  const [step, ...rest] = path
  if (step === undefined) return [schema]
  if (schema instanceof z.ZodObject && typeof step === 'string') {
    return Object.hasOwn(schema.shape, step) ? schemasAt(schema.shape[step], rest) : []
  }
  if (schema instanceof z.ZodArray) return schemasAt(schema.element, rest)
  if (schema instanceof z.ZodRecord) return schemasAt(schema.valueType, rest)
  return []
}
