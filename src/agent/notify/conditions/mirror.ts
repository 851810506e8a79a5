/** Whether a mirror is as new as its schedule promises. */
import { formatDuration } from '../../../util/format-duration.ts'
import type { ScheduleSpec } from '../../schedule/schedule-spec.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'
import { firstDueBy } from './freshness.ts'

/** Times are in milliseconds since 1970. */
export interface MirrorFreshness {
  /** URL without credentials. */
  readonly mirror: string
  readonly schedule: Pick<ScheduleSpec, 'trigger' | 'jitterMs'>
  /** All that the repository held then is there; undefined: not known to have been complete ever. */
  readonly completeAt: number | undefined
  /** Since when it is expected. */
  readonly since: number
}

export const mirrorOverdueKey = (mirror: string): string => conditionKey('overdue', 'mirror', mirror)
export const mirrorFailureKey = (mirror: string): string => conditionKey('failure', 'mirror', mirror)

export function observeMirror(
  { mirror, schedule, completeAt, since }: MirrorFreshness,
  now: number,
): readonly Observation[] {
  const key = mirrorOverdueKey(mirror)
  const newestAt = completeAt !== undefined && completeAt <= now ? completeAt : undefined
  const overdueAt = firstDueBy([schedule], newestAt ?? since)
  if (overdueAt === undefined || now <= overdueAt) return [{ what: 'absent', key }]
  const summary =
    newestAt === undefined
      ? `The mirror at ${mirror} was never complete.`
      : `The mirror at ${mirror} holds what the repository held ${formatDuration(now - newestAt)} ago; it should never be so far behind for longer than ${formatDuration(overdueAt - newestAt)}.`
  const details = { mirror, ...(newestAt === undefined ? {} : { completeAt: new Date(newestAt).toISOString() }) }
  const hint = 'See what "holdfast history" says of it, and whether the place can be reached.'
  return [{ what: 'present', condition: { key, kind: 'overdue', severity: 'warning', summary, hint, details } }]
}
