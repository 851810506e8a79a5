import { parseScheduleSpec } from '../../../../src/agent/schedule/parse-schedule.ts'
import type { RunEnd, RunOutcome } from '../../../../src/agent/schedule/run-end.ts'
import type { ScheduleInput } from '../../../../src/agent/schedule/schedule-input.ts'
import type { ScheduleSpec } from '../../../../src/agent/schedule/schedule-spec.ts'
import type { ScheduleState } from '../../../../src/agent/schedule/schedule-state.ts'
import { Scheduler, type SchedulerOptions } from '../../../../src/agent/schedule/scheduler.ts'
import type { ScheduledRun } from '../../../../src/agent/schedule/timetable.ts'
import { aborted } from '../../../../src/util/abort.ts'
import { FakeSchedulerClock } from './fake-scheduler-clock.ts'

/** A schedule of full backups under an id, unless the input says otherwise. */
export function schedule(
  id: string,
  when: Omit<ScheduleInput, 'type'> & { type?: ScheduleInput['type'] },
): ScheduleSpec {
  return parseScheduleSpec({ id, type: 'full', ...when })
}

/** A scheduler under a clock turned by hand, that notes its runs. Held ones end when they are told to. */
export class Rig {
  readonly clock: FakeSchedulerClock
  readonly scheduler: Scheduler
  readonly runs: (ScheduledRun & { readonly at: number })[] = []
  readonly failures: unknown[] = []
  readonly problems: unknown[] = []
  readonly #held: { readonly run: ScheduledRun; readonly end: (error?: Error) => void }[] = []
  #lsn = 0
  most = 0
  /** Runs wait for {@link end} instead of ending at once. */
  holds = false
  fails: Error | undefined
  /** How runs end that do not fail. */
  outcome: RunOutcome = 'succeeded'

  constructor(start: string | FakeSchedulerClock, options: Partial<SchedulerOptions> = {}) {
    this.clock = typeof start === 'string' ? new FakeSchedulerClock(start) : start
    this.scheduler = new Scheduler({
      clock: this.clock,
      run: (run, signal) => this.#run(run, signal),
      onFailure: (_run, error) => this.failures.push(error),
      onStateNotKept: (error) => this.problems.push(error),
      ...options,
    })
  }

  /** Commits are seen, the last of them now. */
  commit(database: string, commits: number, bytes: number): void {
    this.#lsn += commits
    this.scheduler.notifyCommits(database, { commits, bytes, lsn: this.#lsn }, this.clock.now())
  }

  get running(): string[] {
    return this.#held.map(({ run }) => `${run.database}/${run.schedule.id}`)
  }

  /** The moments at which runs began, `reason` before them where it is not the clock; and forgets them. */
  take(): string[] {
    return this.runs.splice(0).map(({ at, reason, database, schedule: { id } }) => {
      const place = this.#several ? `${database}/${id} ` : ''
      return `${place}${reason === 'schedule' ? '' : `${reason} `}${new Date(at).toISOString().slice(0, 19)}`
    })
  }

  get #several(): boolean {
    return this.scheduler.list().length > 1
  }

  /** Lets the run that began first end, and what follows begin. */
  async end(error?: Error): Promise<void> {
    this.#held.shift()?.end(error)
    await this.clock.pass(0)
  }

  async #run(run: ScheduledRun, signal: AbortSignal): Promise<RunEnd> {
    this.runs.push({ ...run, at: this.clock.now() })
    if (this.fails !== undefined) throw this.fails
    const { outcome } = this
    if (!this.holds) return { outcome }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const held = { run, end: (error?: Error) => (error === undefined ? resolve() : reject(error)) }
    this.#held.push(held)
    this.most = Math.max(this.most, this.#held.length)
    signal.addEventListener('abort', () => reject(aborted(signal)))
    try {
      await promise
      return { outcome }
    } finally {
      const place = this.#held.indexOf(held)
      if (place >= 0) this.#held.splice(place, 1)
    }
  }
}

/** What the next process would find: the state as it was written. */
export class KeptState {
  kept: ScheduleState = new Map()
  writes = 0
  fails: Error | undefined

  async write(state: ScheduleState): Promise<number> {
    if (this.fails !== undefined) throw this.fails
    this.writes += 1
    this.kept = structuredClone(state)
    return 1000
  }
}
