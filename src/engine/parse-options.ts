import { z } from 'zod'
import { HoldfastError } from '../errors.ts'

/** Options as a caller gave them, perhaps from JavaScript. @throws USAGE that names what is wrong */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown): T {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new HoldfastError('USAGE', `These options make no sense: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  })
}
