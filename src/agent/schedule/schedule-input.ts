import { z } from 'zod'
import { scheduleActions } from './schedule-spec.ts'

/** Not `min(1)`: zod checks that also of what is no text, and fails on an object that has a `length`. */
const text = z.string().refine((value) => value !== '', 'a text')

/** When, as people write it: exactly one of `every`, `cron`, `afterCommits`, `afterBytes` and `quiet`. */
export const triggerInput = z.strictObject({
  every: text
    .describe('hourly, daily, weekly, monthly, yearly, or a duration such as 6h, counted from the last run')
    .optional(),
  at: z
    .union([text, z.int()])
    .describe(
      'with hourly ":30"; daily "02:30"; weekly "sunday 02:30"; monthly "15 02:30" or "last 02:30"; yearly "12-31 02:30"',
    )
    .optional(),
  cron: text
    .describe('a cron expression of five fields, or six with seconds first, or a nickname such as @daily')
    .optional(),
  timeZone: text.describe('IANA name such as Europe/Berlin; default UTC').optional(),
  afterCommits: z.union([z.int(), text]).describe('after so many commits since the last run').optional(),
  afterBytes: z.union([z.int(), text]).describe('after so much change since the last run, such as 100MB').optional(),
  quiet: text.describe('when something was committed, and then nothing for so long, such as 10m').optional(),
})

export const scheduleInput = z.strictObject({
  id: text.describe('unique among the schedules of a database; default: made from what it does, and when').optional(),
  type: z.enum(scheduleActions).describe('what to do'),
  ...triggerInput.shape,
  jitter: text.describe('start at a random moment up to so long after it is due, such as 5m').optional(),
  tags: z.record(z.string(), z.string()).describe('noted on the backups that it makes').optional(),
})

export type TriggerInput = z.infer<typeof triggerInput>
export type ScheduleInput = z.infer<typeof scheduleInput>
