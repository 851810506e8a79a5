/** What the process that asks a restored file the user's questions does, as seen from both sides. */
import { z } from 'zod'
import type { EngineApi } from '../../engine/api.ts'
import type { Answer } from '../../source/sqlite/inspect/query-file.ts'

export type QuerySignatures = {
  query: {
    input: { readonly path: string; readonly sql: string; readonly most: number }
    event: never
    output: Answer
  }
}

const cell = z.union([z.null(), z.number(), z.bigint(), z.string()])

const answer: z.ZodType<Answer> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rows'), rows: z.array(z.array(cell)), more: z.boolean() }),
  z.strictObject({ kind: z.literal('error'), code: z.number().or(z.undefined()), message: z.string() }),
])

export const queryApi: EngineApi<QuerySignatures> = {
  query: {
    input: z.strictObject({ path: z.string(), sql: z.string(), most: z.int().min(1) }),
    event: z.never(),
    output: answer,
  },
}
