import { operationOutcomes } from '../journal/operation.ts'
import type { ScheduleStatus } from '../schedule/schedule-status.ts'

export type CheckAction = 'verify' | 'drill'

/** What an agent does itself to verify and drill a database. */
export interface CheckRuns {
  /** When it last made one, however that ended: of what failed is told already. In milliseconds since 1970. */
  readonly madeAt: (database: string, action: CheckAction) => number | undefined
  /** Whether one is due or going on, as when what a machine slept through is caught up. */
  readonly isUnderWay: (database: string, action: CheckAction) => boolean
}

/** What has gone on for longer hangs. In that time a machine may have slept for days. */
const longestMs = 7 * 24 * 3_600_000

/** Pure. @param now milliseconds since 1970 */
export function checkRuns(schedules: readonly ScheduleStatus[], now: number): CheckRuns {
  const made = new Map<string, number>()
  const underWay = new Set<string>()
  const keyOf = (database: string, action: string): string => `${action} ${database}`
  const isBlocked = schedules.some((status) => hangs(status, now))
  for (const status of schedules) {
    const key = keyOf(status.database, status.schedule.action)
    if (isUnderWay(status, isBlocked, now)) underWay.add(key)
    if (status.lastFinished !== undefined && wasMade(status))
      made.set(key, Math.max(status.lastFinished, made.get(key) ?? 0))
  }
  return {
    madeAt: (database, action) => made.get(keyOf(database, action)),
    isUnderWay: (database, action) => underWay.has(keyOf(database, action)),
  }
}

function isUnderWay(status: ScheduleStatus, isBlocked: boolean, now: number): boolean {
  const { state, due } = status
  // Behind what hangs, its turn may never come.
  if (state === 'queued') return !isBlocked
  if (state === 'running') return !hangs(status, now)
  return due !== undefined && due <= now
}

function hangs({ state, lastStarted }: ScheduleStatus, now: number): boolean {
  return state === 'running' && lastStarted !== undefined && now >= lastStarted + longestMs
}

function wasMade({ outcome }: ScheduleStatus): boolean {
  return outcome !== 'interrupted' && operationOutcomes.some((each) => each === outcome)
}
