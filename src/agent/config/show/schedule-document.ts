import type { ScheduleInput, TriggerInput } from '../../schedule/schedule-input.ts'
import type { CalendarTrigger, ScheduleSpec, ScheduleTrigger } from '../../schedule/schedule-spec.ts'
import { durationText, sizeText } from './units.ts'

/** A schedule as it is written in a configuration. */
export function scheduleDocument({ id, action, trigger, jitterMs, tags }: ScheduleSpec): ScheduleInput {
  return {
    id,
    type: action,
    ...triggerDocument(trigger),
    ...(jitterMs === undefined ? {} : { jitter: durationText(jitterMs) }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
  }
}

function triggerDocument(trigger: ScheduleTrigger): TriggerInput {
  switch (trigger.on) {
    case 'calendar': {
      const { every, timeZone } = trigger
      const at = atText(trigger)
      return { every, ...(at === undefined ? {} : { at }), ...(timeZone === undefined ? {} : { timeZone }) }
    }
    case 'cron': {
      const { expression, timeZone } = trigger
      return { cron: expression, ...(timeZone === undefined ? {} : { timeZone }) }
    }
    case 'interval':
      return { every: durationText(trigger.everyMs) }
    case 'commits':
      return { afterCommits: trigger.count }
    case 'bytes':
      return { afterBytes: sizeText(trigger.count) }
    case 'quiet':
      return { quiet: durationText(trigger.forMs) }
  }
}

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

function atText({ every, at, day, month = 1 }: CalendarTrigger): string | undefined {
  if (every === 'hourly') return at === undefined ? undefined : `:${twoDigits(at)}`
  const time = at === undefined ? undefined : `${twoDigits(Math.floor(at / 60))}:${twoDigits(at % 60)}`
  const parts = [day === undefined ? undefined : dateText(every, day, month), time]
  const said = parts.filter((part) => part !== undefined)
  return said.length === 0 ? undefined : said.join(' ')
}

function dateText(every: CalendarTrigger['every'], day: number, month: number): string | undefined {
  if (every === 'weekly') return weekdays[day - 1]
  return every === 'yearly' ? `${twoDigits(month)}-${twoDigits(day)}` : String(day)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
