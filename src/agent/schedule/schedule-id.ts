import { createHash } from 'node:crypto'
import type { ScheduleAction, ScheduleTrigger } from './schedule-spec.ts'

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** `full-weekly`, `incremental-every-6h`, `incremental-after-10000-commits`, `verify-daily-3f9a1c`: the same for the same. */
export function defaultScheduleId(action: ScheduleAction, trigger: ScheduleTrigger): string {
  return `${action}-${triggerName(trigger)}`
}

function triggerName(trigger: ScheduleTrigger): string {
  switch (trigger.on) {
    case 'calendar': {
      const { every, at, day, month, timeZone } = trigger
      const details = [at, day, month, timeZone]
      return details.every((detail) => detail === undefined) ? every : `${every}-${digest(details)}`
    }
    case 'cron':
      return `cron-${digest([trigger.expression, trigger.timeZone])}`
    case 'interval':
      return `every-${durationName(trigger.everyMs)}`
    case 'quiet':
      return `quiet-${durationName(trigger.forMs)}`
    case 'commits':
      return `after-${trigger.count}-commits`
    case 'bytes':
      return `after-${trigger.count}-bytes`
  }
}

/** In the largest unit that says it exactly. */
function durationName(milliseconds: number): string {
  const [name, size] = units.find(([, size]) => milliseconds % size === 0) ?? ['ms', 1]
  return `${milliseconds / size}${name}`
}

function digest(parts: readonly (string | number | undefined)[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest('hex')
    .slice(0, 6)
}
