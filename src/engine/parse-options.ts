import type { z } from 'zod'
import { HoldfastError } from '../errors.ts'
import { optionProblems } from '../util/option-problems.ts'

/** Options as a caller gave them, perhaps from JavaScript. @throws USAGE that names what is wrong */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown): T {
  const parsed = schema.safeParse(options, { reportInput: true })
  if (parsed.success) return parsed.data
  throw new HoldfastError('USAGE', optionProblems(parsed.error.issues), { cause: parsed.error })
}
