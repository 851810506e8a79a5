import { compressionLevel } from '../../../segment/codec.ts'
import { scheduleInput } from '../../schedule/schedule-input.ts'
import { isTimeZone } from '../../schedule/zone-time.ts'
import { readSchedule } from '../resolve/read-schedule.ts'
import { timedInput, timedSections } from '../resolve/schedules.ts'
import type { SettingsInput } from '../schema/database-schema.ts'
import { hookSchema } from '../schema/hook-schema.ts'
import { isMapping, parseWhatIsRight } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import { checkHook } from './check-hook.ts'
import type { Reporter } from './reporter.ts'

/**
 * What the form of settings does not tell: of a database, or of `defaults`.
 * @param raw as the file has it: also elements of lists of which others are wrong
 */
export function checkSettings(settings: SettingsInput, raw: unknown, path: ConfigPath, report: Reporter): void {
  checkSchedules(elementsOf(raw, 'schedules'), [...path, 'schedules'], report)
  for (const [index, hook] of elementsOf(raw, 'hooks').entries()) {
    const { data } = hookSchema.safeParse(hook)
    if (data !== undefined) checkHook(data, [...path, 'hooks', index], report)
  }
  for (const section of timedSections) {
    const said = settings[section]
    if (typeof said !== 'object') continue
    for (const { field, message, ...facts } of readSchedule(timedInput(section, said)).problems ?? [])
      report.value([...path, section, field], message, facts)
  }
  checkRetention(settings, path, report)
  checkCompression(settings, path, report)
}

export function elementsOf(raw: unknown, key: string): readonly unknown[] {
  const list = isMapping(raw) ? raw[key] : undefined
  return Array.isArray(list) ? list : []
}

const rightParts = scheduleInput.partial()

/** Also the fields beside those that have a wrong form. */
function checkSchedules(schedules: readonly unknown[], path: ConfigPath, report: Reporter): void {
  for (const [index, schedule] of schedules.entries()) {
    if (!isMapping(schedule)) continue
    const right = parseWhatIsRight(rightParts, schedule) ?? {}
    for (const { field, message, ...facts } of readSchedule({ ...right, type: right.type ?? 'full' }).problems ?? []) {
      // What says when may be there, in a wrong form, which is told already.
      const isWhole = Object.keys(schedule).every((key) => Object.hasOwn(right, key))
      if (isWhole || Object.hasOwn(right, field)) report.value([...path, index, field], message, facts)
    }
  }
}

function checkRetention({ retention }: SettingsInput, path: ConfigPath, report: Reporter): void {
  if (typeof retention !== 'object' || retention.timeZone === undefined) return
  checkTimeZone(retention.timeZone, [...path, 'retention', 'timeZone'], report)
}

export function checkTimeZone(name: string, path: ConfigPath, report: Reporter): void {
  if (isTimeZone(name)) return
  const expected = 'the name of a time zone such as Europe/Berlin'
  report.value(path, `Expected ${expected}, got "${name}".`, { expected, got: name })
}

function checkCompression({ compression }: SettingsInput, path: ConfigPath, report: Reporter): void {
  if (compression === undefined) return
  try {
    compressionLevel(compression.codec ?? 'zstd', compression.level)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    report.value([...path, 'compression', 'level'], error.message)
  }
}
