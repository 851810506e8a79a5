import { z } from 'zod'
import { HoldfastError } from '../errors.ts'
import type { Moment, RecoveryTarget } from './recovery-options.ts'
import type { RestoreTargetState } from './restore-options.ts'
import { wantedLsn } from './wanted-lsn.ts'

const isoTime = z.iso.datetime({ offset: true })

/** Milliseconds since 1970. @throws USAGE for what is no moment, or one whose time zone is not said */
export function timeOf(moment: Moment): number {
  const time = moment instanceof Date ? moment.getTime() : typeof moment === 'string' ? parseIso(moment) : moment
  // The range of a Date.
  if (typeof time === 'number' && Math.abs(time) <= 8.64e15) return time
  throw new HoldfastError('USAGE', `${shown(moment)} is not a moment that can be recovered to.`, {
    hint: 'Give a Date, milliseconds since 1970, or ISO 8601 with its zone: "2026-03-01T12:00:00Z".',
  })
}

/** As {@link stateOf}; of `now`, what can be had: the newest state that is kept, however old that is. @throws USAGE */
export function stateOfNow(target: RecoveryTarget): RestoreTargetState {
  const isNow = target === 'now' || (typeof target === 'object' && 'time' in target && target.time === 'now')
  return isNow ? { by: 'latest' } : stateOf(target)
}

/** @throws USAGE */
export function stateOf(target: RecoveryTarget): RestoreTargetState {
  if (typeof target !== 'object' || target === null || target instanceof Date)
    return { by: 'time', time: timeOf(target) }
  if ('snapshot' in target) return { by: 'name', name: target.snapshot, before: target.before }
  if ('lsn' in target) return { by: 'lsn', lsn: wantedLsn(target.lsn), before: target.before }
  return { by: 'time', time: timeOf(target.time), before: target.before }
}

function parseIso(text: string): number {
  return isoTime.safeParse(text).success ? Date.parse(text) : Number.NaN
}

function shown(moment: unknown): string {
  return typeof moment === 'string' ? `"${moment}"` : String(moment)
}
