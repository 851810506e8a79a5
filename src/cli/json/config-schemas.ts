/** What `config` writes. */
import { z } from 'zod'

const count = z.int().min(1)

export const configResults = {
  'config check': z.strictObject({
    file: z.string(),
    ok: z.boolean(),
    problems: z
      .array(
        z.strictObject({
          path: z.string().describe('of the key or value: databases[1].retention.daily; empty for the whole file'),
          line: count,
          column: count,
          length: count.describe('characters that it is about'),
          message: z.string(),
          expected: z.string().nullable(),
          got: z.string().nullable().describe('null if it is missing, or secret'),
          nearest: z.string().nullable().describe('the known key or word that was probably meant'),
        }),
      )
      .describe('in the order of the file'),
    notes: z
      .array(z.strictObject({ path: z.string(), line: count, column: count, length: count, message: z.string() }))
      .describe('what is no mistake, but worth a look: a path where there is nothing, a pattern that matches nothing'),
  }),
  'config show': z.strictObject({
    file: z.string(),
    config: z.record(z.string(), z.unknown()).describe('as in docs/configuration.md, with defaults; secrets masked'),
  }),
  'config example': z.strictObject({ text: z.string() }),
}
