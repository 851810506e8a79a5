import { z } from 'zod'
import type { ConfigPath } from '../yaml/config-path.ts'

/** The keys that a mapping at this path may have; none if there can be no mapping. */
export function knownKeys(schema: unknown, path: ConfigPath): readonly string[] {
  return schemasAt(schema, path).flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : []))
}

/** There can be a mapping at this path whose keys are names of things. */
export function mayHoldAnyKey(schema: unknown, path: ConfigPath): boolean {
  return schemasAt(schema, path).some((found) => found instanceof z.ZodRecord)
}

/** Every key that a mapping may have, anywhere. */
export function allKeys(schema: unknown): ReadonlySet<string> {
  const keys = new Set<string>()
  const collect = (found: unknown): void => {
    if (found instanceof z.ZodOptional) collect(found.unwrap())
    else if (found instanceof z.ZodUnion) found.options.forEach(collect)
    else if (found instanceof z.ZodArray) collect(found.element)
    else if (found instanceof z.ZodRecord) collect(found.valueType)
    else if (found instanceof z.ZodObject)
      for (const [key, inside] of Object.entries(found.shape)) {
        keys.add(key)
        collect(inside)
      }
  }
  collect(schema)
  return keys
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
