import { pathToFileURL } from 'node:url'
import type { ScheduleInput } from '../../schedule/schedule-input.ts'
import type { HookConfig, MirrorConfig } from '../config.ts'
import type { MirrorInput } from '../schema/mirror-schema.ts'
import { maskLocation } from '../show/mask.ts'
import { readSchedule } from './read-schedule.ts'
import { resolveRepository } from './repository-location.ts'
import { inZone } from './schedules.ts'

const usualGraceMs = 7 * 86_400_000

export interface MirrorsAround {
  readonly folder: string
  readonly timeZone: string | undefined
  /** Run around every operation. */
  readonly hooks: readonly HookConfig[]
}

export function resolveMirrors(
  inputs: readonly MirrorInput[],
  { folder, timeZone, hooks }: MirrorsAround,
): MirrorConfig[] {
  return inputs.flatMap((input) => {
    const said = typeof input === 'string' ? { to: input } : input
    const schedule = readSchedule(mirrorInput(input)).value
    if (schedule === undefined) return []
    const { grace, maxDelete } = said
    return {
      ...resolveMirrorPlace(said.to, folder),
      schedule: inZone(schedule, timeZone),
      graceMs: grace ?? usualGraceMs,
      maxDelete,
      hooks,
    }
  })
}

/** When it is brought up to date: every hour, if it does not say. */
export function mirrorInput(input: MirrorInput): ScheduleInput {
  const { every, at, cron, timeZone, jitter } = typeof input === 'string' ? {} : input
  const hasTiming = [every, at, cron, timeZone].some((value) => value !== undefined)
  const timing = hasTiming ? { every, at, cron, timeZone } : { every: 'hourly' }
  return { type: 'mirror', ...timing, ...(jitter === undefined ? {} : { jitter }) }
}

export function resolveMirrorPlace(to: string, folder: string): Pick<MirrorConfig, 'to' | 'name'> {
  const place = resolveRepository(to, folder)
  const isUrl = place === to && /^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(to)
  return {
    to: place,
    name: isUrl ? maskLocation(place).replace(/^file:(?!\/\/)/, 'file://') : pathToFileURL(place).href,
  }
}
