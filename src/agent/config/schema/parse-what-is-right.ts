import type { z } from 'zod'

/**
 * What a schema makes of a value without the parts that are wrong, so that the rest can be checked as well; undefined if nothing
 * sensible is left. Lists are taken or left as a whole.
 */
export function parseWhatIsRight<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  let right: unknown = value
  for (;;) {
    const { success, data, error } = schema.safeParse(right)
    if (success) return data
    const paths = error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
    )
    const pruned = paths.reduce<unknown>(without, right)
    if (pruned === right || pruned === undefined) return undefined
    right = pruned
  }
}

/** A value without what is at a path; what it lacks is missing in what is around it, which goes in its place. */
function without(value: unknown, [step, ...rest]: readonly PropertyKey[]): unknown {
  if (step === undefined || typeof step !== 'string' || !isMapping(value)) return undefined
  const { [step]: inside, ...others } = value
  if (!Object.hasOwn(value, step)) return rest.length === 0 ? undefined : value
  const left = without(inside, rest)
  return left === undefined ? others : { ...others, [step]: left }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
