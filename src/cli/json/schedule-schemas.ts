/** What `schedule` writes. */
import { z } from 'zod'
import { runOutcomes } from '../../agent/schedule/run-end.ts'
import { scheduleActions } from '../../agent/schedule/schedule-spec.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.number().min(0)

const schedule = {
  database: z.string().describe('name in the repository, or the pattern of several; the URL of a mirror'),
  id: z.string(),
  action: z.enum(scheduleActions),
  description: z.string().describe('in words'),
}

const changed = z.strictObject({
  config: z.string().describe('path of the file that was changed'),
  ...schedule,
  next: time.nullable().describe('when it is due next, if it goes by the clock'),
  copied: z.boolean().describe('the database got a list of its own, which begins with what it had from elsewhere'),
  inForce: z.boolean().describe('a running agent has taken it up'),
})

export const scheduleResults = {
  'schedule list': z.strictObject({
    config: z.string(),
    agent: z.boolean().describe('whether an agent runs; without one, nothing is done on schedule'),
    schedules: z.array(
      z.strictObject({
        ...schedule,
        path: z.string().nullable().describe('of the database; null for a mirror'),
        next: time
          .nullable()
          .describe(
            'when it is due next, or has been; null while that depends on commits, or on when an agent sees it first',
          ),
        commitsSince: count.describe('commits since its last run that was due, as far as an agent saw them'),
        bytesSince: count.describe('bytes of the pages that they changed'),
        lastStarted: time.nullable(),
        lastFinished: time.nullable(),
        outcome: z
          .enum(['running', ...runOutcomes])
          .nullable()
          .describe(
            'of its last run; interrupted: its process ended before it, and the next agent does it again; skipped: a hook asked for that',
          ),
      }),
    ),
  }),
  'schedule add': changed,
  'schedule remove': changed,
  'schedule run': z.strictObject({
    ...schedule,
    by: z.enum(['agent', 'command']).describe('command: no agent runs, so it was done here'),
    outcome: z
      .enum(['succeeded', 'warning', 'failed', 'inconclusive', 'skipped'])
      .describe('skipped: a hook asked for that'),
    message: z.string().nullable(),
    backupId: z.string().nullable(),
    durationMs: z.number().min(0),
  }),
}
