/** What `notify` writes. */
import { z } from 'zod'

export const notifyResults = {
  'notify test': z.strictObject({
    channels: z.array(
      z.strictObject({
        name: z.string(),
        type: z.enum(['webhook', 'email', 'command', 'heartbeat']),
        target: z.string().describe('where it goes, without secrets'),
        ok: z.boolean(),
        durationMs: z.number().min(0),
        problem: z.string().nullable().describe('why it did not get through'),
        hint: z.string().nullable().describe('what to do next'),
      }),
    ),
  }),
}
