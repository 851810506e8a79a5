import type { Calendar, CalendarTrigger } from './schedule-spec.ts'

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

const examples: Readonly<Record<Calendar, string>> = {
  hourly: '":30" for half past each hour',
  daily: '"02:30"',
  weekly: '"02:30" or "sunday 02:30"',
  monthly: '"02:30", "15 02:30" or "last 02:30"',
  yearly: '"02:30" or "12-31 02:30"',
}

type At = Pick<CalendarTrigger, 'at' | 'day' | 'month'>

/** When in its period a calendar schedule is due; undefined if the text does not say it in one of the ways of {@link expectedAt}. */
export function parseAt(every: Calendar, text: string): At | undefined {
  const words = text.trim().toLowerCase()
  if (every === 'hourly') return minuteOf(/^(?:0{0,2}:)?(\d{1,2})$/.exec(words)?.[1])
  const parts = words.split(/\s+/)
  const time = /^\d{1,2}:\d{2}$/.test(parts.at(-1) ?? '') ? parts.pop() : undefined
  const [date, ...rest] = parts
  const on = date === undefined ? {} : dateOf(every, date)
  if (on === undefined || rest.length > 0) return undefined
  if (time === undefined) return on
  const [hours = 24, minutes = 60] = time.split(':').map(Number)
  return hours < 24 && minutes < 60 ? { ...on, at: hours * 60 + minutes } : undefined
}

export function expectedAt(every: Calendar): string {
  return examples[every]
}

export function weekdayName(day: number): string {
  const name = weekdays[day - 1] ?? ''
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

function minuteOf(digits: string | undefined): At | undefined {
  const minute = Number(digits ?? 60)
  return minute < 60 ? { at: minute } : undefined
}

function dateOf(every: Calendar, text: string): At | undefined {
  if (every === 'weekly') {
    const found = weekdays.findIndex((name) => name === text || name.slice(0, 3) === text)
    return found === -1 ? undefined : { day: found + 1 }
  }
  if (every === 'monthly') return text === 'last' ? { day: 31 } : dayIn(31, text)
  const [, month = '', day = ''] = every === 'yearly' ? (/^(\d{1,2})-(\d{1,2})$/.exec(text) ?? []) : []
  const inMonth = Number(month)
  if (inMonth < 1 || inMonth > 12) return undefined
  // In a leap year, so that the 29th of February can be meant.
  const on = dayIn(new Date(Date.UTC(2024, inMonth, 0)).getUTCDate(), day)
  return on && { ...on, month: inMonth }
}

function dayIn(days: number, text: string): At | undefined {
  const day = /^\d{1,2}$/.test(text) ? Number(text) : 0
  return day >= 1 && day <= days ? { day } : undefined
}
