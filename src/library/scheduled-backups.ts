import { endOf } from '../agent/journal/ending.ts'
import { describeSchedule } from '../agent/schedule/describe-schedule.ts'
import { type RunEnd, runEnd } from '../agent/schedule/run-end.ts'
import type { ScheduleSpec } from '../agent/schedule/schedule-spec.ts'
import { Scheduler } from '../agent/schedule/scheduler.ts'
import { type SchedulerClock, systemSchedulerClock } from '../agent/schedule/scheduler-clock.ts'
import type { ScheduledRun } from '../agent/schedule/timetable.ts'
import type { BackupResult } from '../backup/backup-options.ts'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import type { BackupManifest, BackupType } from '../repository/manifest.ts'
import {
  type BackupSchedule,
  backupSchedule,
  type ScheduleBackupsOptions,
  type ScheduledBackups,
} from './backup-schedule.ts'
import type { AskedBy } from './make-backup.ts'

/** What the schedules of a manager need of it. */
export interface ScheduleHost {
  readonly maxConcurrent: number
  backUp(database: string, request: BackupRequestOfSchedule, askedBy: AskedBy): Promise<BackupResult>
  /** Oldest first. */
  backups(database: string): Promise<readonly BackupKnown[]>
}

export type BackupKnown = Pick<BackupManifest, 'type' | 'capturedAt' | 'damaged'>

export interface BackupRequestOfSchedule {
  readonly type: BackupType
  readonly name?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

interface Entry {
  readonly spec: ScheduleSpec
  readonly databases: readonly string[]
  readonly options: ScheduleBackupsOptions
  readonly running: Set<Promise<unknown>>
  /** Not while the repository is still asked for its newest backups. */
  begun: boolean
}

/** Longer than any process; a timer that does nothing but keep it going. */
const forever = 2 ** 31 - 1

/** The schedules of one manager, in this process: they end with it, and what was missed is told from the repository. */
export class BackupSchedules {
  readonly #host: ScheduleHost
  readonly #scheduler: Scheduler
  readonly #entries = new Map<string, Entry>()
  #alive: NodeJS.Timeout | undefined
  #closed = false

  constructor(host: ScheduleHost, clock: SchedulerClock = systemSchedulerClock({ keepsAlive: false })) {
    this.#host = host
    this.#scheduler = new Scheduler({
      clock,
      maxConcurrent: host.maxConcurrent,
      run: (run) => this.#run(run),
      // Told where it is known whom to tell.
      onFailure: () => {},
    })
  }

  /** @throws USAGE for what is no schedule, or an id that is taken; STORAGE_* */
  async add(when: BackupSchedule, databases: readonly string[], options: ScheduleBackupsOptions): Promise<string> {
    const spec = this.#named(backupSchedule(when, options), options.id)
    const entry: Entry = { spec, databases, options, running: new Set(), begun: false }
    this.#entries.set(spec.id, entry)
    try {
      const newest = await Promise.all(databases.map((database) => this.#newest(database, options)))
      entry.begun = true
      // Stopped meanwhile, it is none of the entries any more.
      for (const [i, database] of databases.entries()) this.#apply(database, newest[i])
    } catch (thrown) {
      // Stopped meanwhile, the id may be another's.
      if (this.#entries.get(spec.id) === entry) this.#entries.delete(spec.id)
      throw thrown
    }
    this.#keepAlive()
    return spec.id
  }

  /** @throws SCHEDULE_NOT_FOUND */
  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined) {
      throw new HoldfastError('SCHEDULE_NOT_FOUND', `This manager has no schedule "${id}".`, {
        object: id,
        hint: this.#entries.size === 0 ? 'It has none.' : `It has ${[...this.#entries.keys()].join(', ')}.`,
      })
    }
    this.#entries.delete(id)
    for (const database of entry.databases) this.#apply(database)
    this.#keepAlive()
    await Promise.allSettled(entry.running)
  }

  list(): ScheduledBackups[] {
    const statuses = this.#scheduler.list()
    return [...this.#entries.values()].map(({ spec, databases }) => {
      const own = statuses.filter(({ schedule }) => schedule.id === spec.id)
      const dues = own.map(({ due }) => due).filter((due) => due !== undefined)
      return {
        id: spec.id,
        description: describeSchedule(spec),
        databases,
        nextAt: dues.length === 0 ? undefined : Math.min(...dues),
        running: own.some(({ state }) => state !== 'waiting'),
      }
    })
  }

  /** Waits for the backups that are being made. */
  async close(): Promise<void> {
    this.#closed = true
    this.#keepAlive()
    await this.#scheduler.stop()
  }

  /** Two schedules may be alike, but their ids are not. */
  #named(spec: ScheduleSpec, given: string | undefined): ScheduleSpec {
    if (!this.#entries.has(spec.id)) return spec
    if (given !== undefined) {
      throw new HoldfastError('USAGE', `This manager has a schedule "${given}" already.`, {
        object: given,
        hint: 'Stop that one first, or give another "id".',
      })
    }
    let number = 2
    while (this.#entries.has(`${spec.id}-${number}`)) number += 1
    return { ...spec, id: `${spec.id}-${number}` }
  }

  #apply(database: string, since?: number): void {
    const own = [...this.#entries.values()].filter(({ begun, databases }) => begun && databases.includes(database))
    this.#scheduler.set(
      database,
      own.map(({ spec }) => spec),
      { since: () => since },
    )
  }

  async #newest(database: string, { catchUp = true, type }: ScheduleBackupsOptions): Promise<number | undefined> {
    if (!catchUp) return undefined
    const backups = await this.#host.backups(database)
    const newest = backups.findLast((backup) => type !== 'full' || backup.type === 'full')
    return newest === undefined ? undefined : Date.parse(newest.capturedAt)
  }

  async #run({ database, schedule, due, reason }: ScheduledRun): Promise<RunEnd> {
    const entry = this.#entries.get(schedule.id)
    if (entry === undefined) return { outcome: 'skipped' }
    const work = this.#backUp(entry, database, due, { trigger: reason, schedule: schedule.id })
    entry.running.add(work)
    try {
      const result = await work
      tell(() => entry.options.onBackup?.(result, database))
      return runEnd(endOf({ backupId: result.metadata.id, warnings: result.warnings }))
    } catch (thrown) {
      fail(entry.options, database, toHoldfastError(thrown, database))
      throw thrown
    } finally {
      entry.running.delete(work)
    }
  }

  async #backUp({ spec, options }: Entry, database: string, due: number, askedBy: AskedBy): Promise<BackupResult> {
    const { type = 'incremental', tags } = options
    if (type === 'snapshot')
      return await this.#host.backUp(database, { type, tags, name: snapshotName(spec.id, due) }, askedBy)
    const first = type === 'incremental' && !(await this.#host.backups(database)).some(({ damaged }) => !damaged)
    return await this.#host.backUp(database, { type: first ? 'full' : type, tags }, askedBy)
  }

  #keepAlive(): void {
    const wanted = !this.#closed && [...this.#entries.values()].some(({ options }) => options.keepAlive === true)
    if (wanted) this.#alive ??= setInterval(() => {}, forever)
    else {
      clearInterval(this.#alive)
      this.#alive = undefined
    }
  }
}

/** Unique among the backups of a database, and readable: `snapshot-daily-2026-11-21T00-00-00Z`. */
function snapshotName(id: string, due: number): string {
  return `${id}-${new Date(due).toISOString().replace(/\.\d+/, '').replaceAll(':', '-')}`
}

/** As an event: what the listener throws is its own affair, and does not count as a failed backup. */
function tell(call: () => void): void {
  queueMicrotask(call)
}

function fail({ onError }: ScheduleBackupsOptions, database: string, error: HoldfastError): void {
  if (onError !== undefined) {
    tell(() => onError(error, database))
    return
  }
  process.emitWarning(`A scheduled backup of ${database} failed: ${error.message}`, {
    type: 'HoldfastWarning',
    code: error.code,
    ...(error.hint === undefined ? {} : { detail: error.hint }),
  })
}
