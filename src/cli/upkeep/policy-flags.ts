import type { Command } from 'commander'
import type { RetentionPolicy } from '../../history/retention.ts'
import { duration, wholeNumber } from '../parse/option-values.ts'

export interface PolicyFlags {
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: number
  readonly maxBackups?: number
  readonly window?: number
  readonly timeZone?: string
}

const calendar = ['hour', 'day', 'week', 'month', 'year'] as const
const adverbs = { hour: 'hourly', day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' } as const

export function addPolicyOptions(command: Command): Command {
  const number = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  command.option('--keep-last <n>', 'keep the newest N backups', number)
  for (const unit of calendar)
    command.option(`--keep-${adverbs[unit]} <n>`, `keep the newest of each of the newest N ${unit}s with one`, number)
  return command
    .option('--keep-within <duration>', 'keep all that are younger: 30d', duration)
    .option('--max-backups <n>', 'keep at most so many, the oldest going first; pinned ones do not count (100)', number)
    .option('--window <duration>', 'keep every commit of this time restorable (7d)', duration)
    .option('--time-zone <zone>', 'in which days, weeks, months and years begin: Europe/Berlin (UTC)')
}

/** Undefined if no option says anything of a policy. */
export function policyOf(flags: PolicyFlags): RetentionPolicy | undefined {
  const policy: RetentionPolicy = {
    last: flags.keepLast,
    hourly: flags.keepHourly,
    daily: flags.keepDaily,
    weekly: flags.keepWeekly,
    monthly: flags.keepMonthly,
    yearly: flags.keepYearly,
    within: flags.keepWithin,
    maxBackups: flags.maxBackups,
    window: flags.window,
    timeZone: flags.timeZone,
  }
  return Object.values(policy).every((value) => value === undefined) ? undefined : policy
}
