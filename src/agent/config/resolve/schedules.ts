import type { ScheduleInput } from '../../schedule/schedule-input.ts'
import type { ScheduleAction, ScheduleSpec } from '../../schedule/schedule-spec.ts'
import type { SettingsInput } from '../schema/database-schema.ts'
import { hasTiming, type Timing, timingOf } from './merge-settings.ts'
import { readSchedule } from './read-schedule.ts'

export type TimedSection = 'expire' | 'compact' | 'verify' | 'drill'

export const timedSections: readonly TimedSection[] = ['expire', 'compact', 'verify', 'drill']

/** When a section is due that does not say so itself. */
const usually: Readonly<Record<TimedSection, string>> = {
  expire: 'daily',
  compact: 'daily',
  verify: 'weekly',
  drill: 'weekly',
}

const usualSchedules: readonly ScheduleInput[] = [{ type: 'incremental', every: 'daily' }]

/** All that a database's checked settings ask for, with what they leave unsaid. `timeZone` holds for those that name none. */
export function schedulesOf(settings: SettingsInput, timeZone: string | undefined): ScheduleSpec[] {
  const specs = scheduleInputsOf(settings).map((input) => readSchedule(input).value)
  return specs.filter((spec) => spec !== undefined).map((spec) => inZone(spec, timeZone))
}

/** First those of `schedules`, in order. */
export function scheduleInputsOf(settings: SettingsInput): readonly ScheduleInput[] {
  const listed = settings.schedules ?? usualSchedules
  const implied = timedSections.map((section) => impliedSchedule(section, settings))
  return [...listed, ...implied.filter((input) => input !== undefined)]
}

/** The schedule of a section, unless it is switched off, or `schedules` says when it is due. */
function impliedSchedule(section: TimedSection, settings: SettingsInput): ScheduleInput | undefined {
  const said = settings[section]
  if (said === false) return undefined
  const hasOwn = typeof said === 'object' && hasTiming(said)
  if (!hasOwn && settings.schedules?.some(({ type }) => type === section) === true) return undefined
  if (said === undefined && !isUsual(section, settings)) return undefined
  return timedInput(section, typeof said === 'object' ? said : {})
}

export function timedInput(
  type: ScheduleAction & TimedSection,
  said: Timing & { readonly jitter?: string | undefined },
): ScheduleInput {
  const timing = hasTiming(said) ? timingOf(said) : { every: usually[type] }
  return { type, ...timing, ...(said.jitter === undefined ? {} : { jitter: said.jitter }) }
}

function isUsual(section: TimedSection, { retention = false }: SettingsInput): boolean {
  return section === 'verify' || (section !== 'drill' && retention !== false)
}

/** The id stays what it was: it does not depend on what other settings say. */
export function inZone(spec: ScheduleSpec, timeZone: string | undefined): ScheduleSpec {
  const { trigger } = spec
  if (timeZone === undefined || (trigger.on !== 'calendar' && trigger.on !== 'cron')) return spec
  return { ...spec, trigger: { ...trigger, timeZone: trigger.timeZone ?? timeZone } }
}
