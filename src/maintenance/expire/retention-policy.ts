import { z } from 'zod'
import { HoldfastError } from '../../errors.ts'
import { Calendar } from '../../history/calendar.ts'
import { defaultMaxBackups, defaultRetention, type RetentionPolicy } from '../../history/retention.ts'
import { optionProblems } from '../../util/option-problems.ts'

const count = z.int().min(0)
const milliseconds = z.number().min(0)

export const retentionPolicySchema: z.ZodType<RetentionPolicy> = z.strictObject({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
  within: milliseconds.optional(),
  maxBackups: z.int().min(1).optional(),
  window: milliseconds.optional(),
  timeZone: z.string().optional(),
})

/**
 * A policy as a user gives it, checked, with what they did not say: which backups to keep, if no rule is among it (7 daily, 4 weekly,
 * 12 monthly, 7 yearly ones); at most 100; and a window of 7 days, since nobody means to give up the commits of a followed
 * database by not speaking of them.
 * @throws USAGE if a value makes no sense, the time zone is unknown, or nothing would be kept
 */
export function retentionPolicy(given: RetentionPolicy = defaultRetention): RetentionPolicy {
  const parsed = retentionPolicySchema.safeParse(given, { reportInput: true })
  if (!parsed.success) throw refused(optionProblems(parsed.error.issues))
  const { timeZone, maxBackups = defaultMaxBackups, window = defaultRetention.window, ...rules } = parsed.data
  try {
    new Calendar(timeZone)
  } catch (cause) {
    throw refused(`"${timeZone}" is no time zone.`, 'Give one such as Europe/Berlin or UTC.', cause)
  }
  const said = Object.values(rules).filter((value) => value !== undefined)
  if (said.length === 0) return { ...defaultRetention, timeZone, maxBackups, window }
  if ([parsed.data.window ?? 0, ...said].every((value) => value === 0))
    throw refused('It keeps nothing.', 'Say how many backups to keep, or a window.')
  return { ...rules, timeZone, maxBackups, window }
}

function refused(why: string, hint?: string, cause?: unknown): HoldfastError {
  return new HoldfastError('USAGE', `This is no retention policy. ${why}`, { hint, cause })
}
