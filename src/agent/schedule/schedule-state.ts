import { z } from 'zod'
import { type RunOutcome, runOutcomes } from './run-end.ts'
import type { ScheduleTrigger } from './schedule-spec.ts'

/**
 * How the last run of a schedule ended; `unfinished` while it runs, and for good if its process died meanwhile: it is caught up. One that
 * somebody asked for is `asked` while it runs, and is not caught up: it was `interrupted`.
 */
export type LastOutcome = 'unfinished' | 'asked' | RunOutcome

/** What must be remembered of a schedule over a restart. Times are milliseconds since 1970. */
export interface ScheduleRecord {
  /** The trigger that all this is about, as JSON: with another one, the schedule begins anew. */
  trigger: string
  /** Everything that was due up to this moment is done with. */
  doneUntil: number
  /** When the run that began last was due. */
  lastDue?: number | undefined
  lastStarted?: number | undefined
  lastFinished?: number | undefined
  outcome?: LastOutcome | undefined
  /** The database's counters when the last run began that was due. */
  commits: number
  bytes: number
  /** Since when nobody has asked for the schedule any more. */
  unusedSince?: number | undefined
}

export interface DatabaseRecord {
  commits: number
  bytes: number
  lastCommitAt?: number | undefined
  /** Of the last commit that was counted. */
  lsn?: number | undefined
  schedules: Map<string, ScheduleRecord>
}

/** By the name of the database. */
export type ScheduleState = Map<string, DatabaseRecord>

const count = z.number().min(0)
const time = z.number()

const record = z.strictObject({
  trigger: z.string(),
  doneUntil: time,
  lastDue: time.optional(),
  lastStarted: time.optional(),
  lastFinished: time.optional(),
  outcome: z.enum(['unfinished', 'asked', ...runOutcomes]).optional(),
  commits: count,
  bytes: count,
  unusedSince: time.optional(),
})

const mapOf = <T>(value: z.ZodType<T>) => z.array(z.tuple([z.string(), value])).transform((entries) => new Map(entries))

/** The state as a document: maps are lists of pairs, because names may be anything. */
export const scheduleStateSchema: z.ZodType<ScheduleState> = mapOf(
  z.strictObject({
    commits: count,
    bytes: count,
    lastCommitAt: time.optional(),
    lsn: count.optional(),
    schedules: mapOf(record),
  }),
)

export function scheduleStateDocument(state: ScheduleState): unknown {
  return [...state].map(([database, { schedules, ...rest }]) => [database, { ...rest, schedules: [...schedules] }])
}

/** A schedule of a database, and what is remembered of it; both are made if they are new. */
export function recordOf(
  state: ScheduleState,
  place: { readonly database: string; readonly schedule: string },
  trigger: ScheduleTrigger,
  since: number,
): ScheduleRecord {
  const ofDatabase = databaseRecord(state, place.database)
  const { commits, bytes } = ofDatabase
  const text = JSON.stringify(trigger)
  const known = ofDatabase.schedules.get(place.schedule)
  const record = known?.trigger === text ? known : { trigger: text, doneUntil: since, commits, bytes }
  delete record.unusedSince
  ofDatabase.schedules.set(place.schedule, record)
  return record
}

export function databaseRecord(state: ScheduleState, database: string): DatabaseRecord {
  const known = state.get(database)
  if (known !== undefined) return known
  const made: DatabaseRecord = { commits: 0, bytes: 0, schedules: new Map() }
  state.set(database, made)
  return made
}

export function forgetRecord(state: ScheduleState, database: string, schedule: string): void {
  const schedules = state.get(database)?.schedules
  schedules?.delete(schedule)
  if (schedules?.size === 0) state.delete(database)
}

/** Databases come and go, and their schedules with them: a name that comes back before long goes on where it was. */
const keptUnusedMs = 30 * 86_400_000

/** Notes what is no longer in use, and forgets what has not been for long. */
export function forgetUnused(
  state: ScheduleState,
  inUse: (database: string, schedule: string) => boolean,
  now: number,
): void {
  for (const [database, { schedules }] of state) {
    for (const [id, record] of schedules) {
      if (inUse(database, id)) continue
      record.unusedSince = Math.min(record.unusedSince ?? now, now)
      if (now - record.unusedSince > keptUnusedMs) schedules.delete(id)
    }
    if (schedules.size === 0) state.delete(database)
  }
}
