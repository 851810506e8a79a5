import { formatBytes } from '../../util/format-bytes.ts'
import { formatDuration } from '../../util/format-duration.ts'
import { weekdayName } from './parse-at.ts'
import type { CalendarTrigger, ScheduleAction, ScheduleSpec, ScheduleTrigger } from './schedule-spec.ts'

const actions: Readonly<Record<ScheduleAction, string>> = {
  full: 'full backup',
  incremental: 'incremental backup',
  snapshot: 'snapshot',
  verify: 'verification',
  drill: 'restore drill',
  expire: 'expiry',
  compact: 'compaction',
  mirror: 'mirroring',
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** `full backup every Sunday at 02:30 Europe/Berlin, up to 5 min later`. */
export function describeSchedule({ action, trigger, jitterMs = 0 }: ScheduleSpec): string {
  const later = jitterMs === 0 ? '' : `, up to ${durationText(jitterMs)} later`
  return `${actions[action]} ${describeTrigger(trigger)}${later}`
}

/** `every day at 02:30 UTC`, `every 6 h`, `after 10,000 commits`, `after 10 min without a commit`. */
export function describeTrigger(trigger: ScheduleTrigger): string {
  switch (trigger.on) {
    case 'calendar':
      return describeCalendar(trigger)
    case 'cron':
      return `by cron "${trigger.expression}" ${trigger.timeZone ?? 'UTC'}`
    case 'interval':
      return `every ${durationText(trigger.everyMs)}`
    case 'commits':
      return trigger.count === 1 ? 'after each commit' : `after ${trigger.count.toLocaleString('en')} commits`
    case 'bytes':
      return `after ${sizeText(trigger.count)} of changes`
    case 'quiet':
      return `after ${durationText(trigger.forMs)} without a commit`
  }
}

function describeCalendar({ every, at = 0, day, month = 1, timeZone = 'UTC' }: CalendarTrigger): string {
  const time = `at ${pad(Math.floor(at / 60))}:${pad(at % 60)} ${timeZone}`
  switch (every) {
    case 'hourly':
      return `every hour at :${pad(at % 60)}${timeZone === 'UTC' ? '' : ` ${timeZone}`}`
    case 'daily':
      return `every day ${time}`
    case 'weekly':
      return `every ${weekdayName(day ?? 7)} ${time}`
    case 'monthly':
      return `every month on ${day === 31 ? 'the last day' : `day ${day ?? 1}`} ${time}`
    case 'yearly':
      return `every year on ${day ?? 1} ${months[month - 1] ?? ''} ${time}`
  }
}

/** In the units in which it was most likely given: `100 MB` rather than `95.4 MiB`. */
function sizeText(bytes: number): string {
  const decimal = [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const
  const [name, size] = decimal.find(([, size]) => bytes % size === 0) ?? ['', 1]
  return name === '' ? formatBytes(bytes) : `${bytes / size} ${name}`
}

/** `5 s` rather than `5.0 s`, which would be a measurement. */
function durationText(milliseconds: number): string {
  return formatDuration(milliseconds).replace(/\.0 s$/, ' s')
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
