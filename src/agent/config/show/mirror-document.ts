import type { MirrorConfig } from '../config.ts'
import { maskLocation } from './mask.ts'
import { scheduleDocument } from './schedule-document.ts'
import { durationText } from './units.ts'

/** A mirror as it is written in a configuration. */
export function mirrorDocument({ to, schedule, graceMs, maxDelete }: MirrorConfig): Readonly<Record<string, unknown>> {
  const { every, at, cron, timeZone, jitter } = scheduleDocument(schedule)
  return { to: maskLocation(to), every, at, cron, timeZone, jitter, grace: durationText(graceMs), maxDelete }
}
