import { readScheduleSpec } from '../../schedule/parse-schedule.ts'
import type { ScheduleInput } from '../../schedule/schedule-input.ts'

type Read = ReturnType<typeof readScheduleSpec>

const most = 1000
const known = new Map<string, Read>()

/** Thousands of databases have the same schedules, and whether a cron expression ever comes true takes long to tell. */
export function readSchedule(input: ScheduleInput): Read {
  const key = JSON.stringify(input)
  const before = known.get(key)
  if (before !== undefined) return before
  if (known.size >= most) known.clear()
  const read = readScheduleSpec(input)
  known.set(key, read)
  return read
}
