import { z } from 'zod'

/** What editors are told of a value. */
export interface LeafSchema {
  readonly description?: string
  readonly type?: string
  readonly anyOf?: readonly LeafSchema[]
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly examples?: readonly (string | number | boolean)[]
}

export interface LeafOptions<T> {
  /** Completes the sentence "Expected …". */
  readonly expected: string
  /** Undefined if the value is none. */
  readonly read: (value: unknown) => T | undefined
  readonly json: LeafSchema
  /** One sentence more about a value that is none. */
  readonly hint?: ((value: unknown) => string | undefined) | undefined
  /** Words that it may be, of which a wrong one may have been meant. */
  readonly words?: readonly string[] | undefined
  /** It is never shown. */
  readonly isSecret?: boolean | undefined
}

/** What an issue of a leaf carries, for those who put it into words. */
export const leafParams = z.object({
  expected: z.string(),
  words: z.array(z.string()).optional(),
  hint: z.string().optional(),
  isSecret: z.boolean().optional(),
  /** The value is of the kind that is wanted. */
  isRightForm: z.boolean().optional(),
})

/** A single value of the configuration: read by one function, explained by one phrase. */
export function leaf<T>(options: LeafOptions<T>): z.ZodType<T> {
  const { read, expected, words, isSecret, json, hint } = options
  return z
    .unknown()
    .meta({ ...json })
    .transform((value, context): T => {
      const result = read(value)
      if (result !== undefined) return result
      context.addIssue({
        code: 'custom',
        params: { expected, words, isSecret, hint: hint?.(value) },
        input: value,
        message: expected,
      })
      return z.NEVER
    })
}

/** Where something other than a text is expected, `${NAME}` may stand for it. */
export const orInterpolated = (schema: LeafSchema): LeafSchema => {
  const { description, ...rest } = schema
  const anyOf = [rest, { type: 'string', pattern: '\\$\\{' }]
  return description === undefined ? { anyOf } : { description, anyOf }
}
