import { HoldfastError } from '../../errors.ts'
import { believedCommit, believedTimes } from './believed-times.ts'
import { DueTimes } from './due-times.ts'
import { beginning, doneUpTo } from './next-run.ts'
import type { Counters } from './progress.ts'
import type { ScheduleSpec } from './schedule-spec.ts'
import {
  type DatabaseRecord,
  databaseRecord,
  forgetRecord,
  forgetUnused,
  type LastOutcome,
  recordOf,
  type ScheduleRecord,
  type ScheduleState,
} from './schedule-state.ts'
import { dueOf, type ScheduleStatus, statusOf } from './schedule-status.ts'

export interface ScheduledRun {
  /** Name in the repository. */
  readonly database: string
  readonly schedule: ScheduleSpec
  /** When it became due, in milliseconds since 1970. */
  readonly due: number
  /** `catch-up`: it was due while nothing ran, or the run before did not come to its end. */
  readonly reason: 'schedule' | 'catch-up' | 'manual'
}

/** From when a schedule counts that is new, in milliseconds since 1970; undefined: from now. */
export type SinceOf = (schedule: ScheduleSpec) => number | undefined

export interface Commits extends Counters {
  /** Of the last of them. */
  readonly lsn: number
}

/** A schedule of a database, and what is to become of it. */
export interface Item {
  readonly database: string
  readonly id: string
  spec: ScheduleSpec
  record: ScheduleRecord
  /** What was due before was missed. */
  seenAt: number
  /** Undefined while that depends on commits to come. */
  due: number | undefined
  /** It is due, and not taken up yet: whatever comes due meanwhile is the same run. */
  queued: ScheduledRun | undefined
}

/** What starts so much too late was missed: a minute more than a machine's sleep can hide. */
const missedMs = 120_000

/** Which schedule is due when, and what is done with. Has no clock of its own: every call says what time it is. */
export class Timetable {
  readonly #state: ScheduleState
  readonly #random: () => number
  readonly #items = new Map<string, Map<string, Item>>()
  readonly #times = new DueTimes<Item>()
  readonly #running = new Set<ScheduleRecord>()

  constructor(state: ScheduleState, random: () => number) {
    this.#state = state
    this.#random = random
    // Nothing runs yet: whoever did what was asked for has ended.
    for (const { schedules } of state.values())
      for (const record of schedules.values()) if (record.outcome === 'asked') record.outcome = 'interrupted'
  }

  /** When {@link takeDue} has something to give next. */
  get earliest(): number | undefined {
    return this.#times.earliest
  }

  /** Whether anything is remembered of a database. */
  remembers(database: string): boolean {
    return (this.#state.get(database)?.schedules.size ?? 0) > 0
  }

  find(database: string, id: string): Item | undefined {
    return this.#items.get(database)?.get(id)
  }

  /**
   * Replaces the schedules of a database. What is known of those that stay is kept.
   * @param sinceOf from when a schedule counts that is new; a moment that lies ahead counts as now
   * @returns those whose queued run is off
   * @throws USAGE if two have one id
   */
  set(database: string, specs: readonly ScheduleSpec[], sinceOf: SinceOf, now: number): Item[] {
    const wanted = new Map(specs.map((spec) => [spec.id, spec]))
    if (wanted.size < specs.length) {
      throw new HoldfastError('USAGE', `Two schedules of ${database} have the same id.`, {
        object: database,
        hint: 'Give each an "id" of its own.',
      })
    }
    const items = this.#items.get(database) ?? new Map<string, Item>()
    const off = [...items.values()].filter(({ id }) => !wanted.has(id))
    for (const item of off) {
      items.delete(item.id)
      this.#times.delete(item)
    }
    if (specs.length > 0) believeCommit(databaseRecord(this.#state, database), now)
    for (const spec of specs) {
      const since = beginning(spec.trigger, Math.min(sinceOf(spec) ?? now, now), now)
      const record = recordOf(this.#state, { database, schedule: spec.id }, spec.trigger, since)
      const known = items.get(spec.id)
      if (known?.record === record && known.spec.jitterMs === spec.jitterMs) {
        known.spec = spec
        continue
      }
      // With another trigger there is another record.
      if (known !== undefined && known.record !== record) off.push(known)
      const item = known ?? { database, id: spec.id, spec, record, seenAt: now, due: undefined, queued: undefined }
      Object.assign(item, { spec, record, queued: item.record === record ? item.queued : undefined })
      items.set(spec.id, item)
      believe(item, now)
      this.#plan(item)
    }
    if (items.size === 0) this.#items.delete(database)
    else this.#items.set(database, items)
    return off
  }

  /** @returns whether that concerns any schedule */
  committed(database: string, { commits, bytes, lsn }: Commits, at: number): boolean {
    const record = databaseRecord(this.#state, database)
    record.commits += commits
    record.bytes += bytes
    record.lsn = lsn
    record.lastCommitAt = Math.max(at, record.lastCommitAt ?? at)
    // A quiet time that begins anew is noticed when the old one is over.
    for (const item of this.#items.get(database)?.values() ?? []) if (!this.#times.has(item)) this.#plan(item)
    return record.schedules.size > 0
  }

  /** Following goes on after a commit. Those that were never counted, because a process died, are. @returns whether that concerns any schedule */
  followed(database: string, lsn: number, now: number): boolean {
    const record = databaseRecord(this.#state, database)
    if (record.lsn === lsn) return false
    const commits = lsn - (record.lsn ?? lsn)
    if (commits > 0) return this.committed(database, { commits, bytes: 0, lsn }, now)
    record.lsn = lsn
    return record.schedules.size > 0
  }

  /** Queues everything that is due. */
  takeDue(now: number): Item[] {
    const taken: Item[] = []
    for (let item = this.#times.takeDue(now); item !== undefined; item = this.#times.takeDue(now)) {
      const due = this.#dueOf(item)
      if (due === undefined || due > now) {
        this.#plan(item)
        continue
      }
      const late = due < item.seenAt || now - due > missedMs + (item.spec.jitterMs ?? 0)
      this.queue(item, due, late || this.#interrupted(item) ? 'catch-up' : 'schedule')
      taken.push(item)
    }
    return taken
  }

  queue(item: Item, due: number, reason: ScheduledRun['reason']): void {
    this.#times.delete(item)
    item.queued = { database: item.database, schedule: item.spec, due, reason }
  }

  /** A queued run begins. @returns what {@link end} wants */
  begin(item: Item, run: ScheduledRun, now: number): ScheduleRecord {
    const { record } = item
    const { trigger } = item.spec
    const progress = databaseRecord(this.#state, item.database)
    // What became due while it waited is done with as well, also by a run that somebody asked for, which else changes nothing of what comes.
    const due = run.reason === 'manual' ? dueOf(item.spec, record, progress) : run.due
    if (due !== undefined && (due <= now || run.reason !== 'manual')) {
      const { commits, bytes } = progress
      const doneUntil = Math.max(record.doneUntil, doneUpTo(trigger, due, now))
      Object.assign(record, { lastDue: due, outcome: 'unfinished', doneUntil, commits, bytes })
    } else if (record.outcome !== 'unfinished') record.outcome = 'asked'
    record.lastStarted = now
    this.#running.add(record)
    item.queued = undefined
    this.#plan(item)
    return record
  }

  /** @param outcome undefined if it was called off: then it is caught up later, unless somebody had asked for it */
  end(record: ScheduleRecord, outcome: LastOutcome | undefined, now: number): void {
    this.#running.delete(record)
    if (outcome === undefined && record.outcome === 'asked') record.outcome = 'interrupted'
    if (outcome !== undefined) Object.assign(record, { outcome, lastFinished: now })
  }

  /** Everything that is known to lie ahead is looked at anew. */
  clockWentBack(now: number): void {
    for (const [database, items] of this.#items) {
      believeCommit(databaseRecord(this.#state, database), now)
      for (const item of items.values()) {
        believe(item, now)
        this.#plan(item)
      }
    }
  }

  /** @param items that are none any more: should they come back, they are new */
  forget(items: readonly Item[]): void {
    for (const { database, id } of items)
      if (this.find(database, id) === undefined) forgetRecord(this.#state, database, id)
  }

  forgetUnused(now: number): void {
    forgetUnused(this.#state, (database, id) => this.find(database, id) !== undefined, now)
  }

  list(): ScheduleStatus[] {
    return [...this.#items.values()].flatMap((items) => [...items.values()].map((item) => this.#status(item)))
  }

  #status({ database, spec: schedule, record, due, queued }: Item): ScheduleStatus {
    const state = queued !== undefined ? 'queued' : this.#running.has(record) ? 'running' : 'waiting'
    const progress = databaseRecord(this.#state, database)
    return statusOf({ database, schedule, state, due: queued?.due ?? due }, record, progress)
  }

  /** Finds out when an item is due and, with its jitter, when it starts. */
  #plan(item: Item): void {
    if (item.queued !== undefined) return
    item.due = this.#dueOf(item)
    if (item.due === undefined) this.#times.delete(item)
    else this.#times.set(item, item.due + Math.floor(this.#random() * (item.spec.jitterMs ?? 0)))
  }

  #dueOf(item: Item): number | undefined {
    if (this.#interrupted(item)) return item.record.lastDue
    return dueOf(item.spec, item.record, databaseRecord(this.#state, item.database))
  }

  /** Its last run ended with its process. */
  #interrupted({ record }: Item): boolean {
    return record.outcome === 'unfinished' && !this.#running.has(record)
  }
}

function believe(item: Item, now: number): void {
  const { spec, record } = item
  item.seenAt = Math.min(item.seenAt, now)
  Object.assign(record, believedTimes(spec.trigger, record, now))
}

function believeCommit(record: DatabaseRecord, now: number): void {
  Object.assign(record, believedCommit(record, now))
}
