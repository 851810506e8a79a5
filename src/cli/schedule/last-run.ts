import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import type { RunOutcome } from '../../agent/schedule/run-end.ts'
import type { ScheduleStatus } from '../../agent/schedule/schedule-status.ts'
import { storageUrl } from '../record/command-journal.ts'
import type { Session } from '../session.ts'

/** Times are in milliseconds since 1970; all of it is undefined where there was none. */
export interface LastRun {
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly outcome: RunOutcome | 'running' | undefined
}

/** The last run of each schedule that somebody asked for. */
export type RunsByHand = ReadonlyMap<string, RecordedOperation>

const rememberedMs = 90 * 24 * 3_600_000

/** Of those that a command made without an agent, the agent's state knows nothing. */
export async function runsByHand({ journal, now }: Session, repository: string): Promise<RunsByHand> {
  const url = await storageUrl(repository)
  if (url === undefined) return new Map()
  const query = { repository: url, trigger: 'manual', since: now() - rememberedMs } as const
  return byHandOf(await (await journal.open()).operations(query))
}

/** @param operations oldest first */
export function byHandOf(operations: readonly RecordedOperation[]): RunsByHand {
  return new Map(
    operations.flatMap((operation) => {
      const { kind, database, type, schedule } = operation
      // The schedule of a mirror is of no database, but under the name of the place.
      const name = database ?? (kind === 'mirror' ? type : undefined)
      return schedule === undefined || name === undefined ? [] : [[runKey(name, schedule), operation] as const]
    }),
  )
}

/** By what the agent remembers, or by the history, should that know of a later run. @param agent whether one runs */
export function lastRun(
  { database, schedule, lastStarted, lastFinished, outcome }: ScheduleStatus,
  agent: boolean,
  byHand: RunsByHand,
): LastRun {
  const run = byHand.get(runKey(database, schedule.id))
  // One that the agent was asked for is in both, and begins in the history when its hooks have run. Either tells the same of it.
  if (run !== undefined && run.startedAt >= (lastStarted ?? 0))
    return { startedAt: run.startedAt, endedAt: run.endedAt, outcome: run.outcome }
  const isOpen = outcome === 'unfinished' || outcome === 'asked'
  return {
    startedAt: lastStarted,
    endedAt: lastFinished,
    outcome: isOpen ? (agent ? 'running' : 'interrupted') : outcome,
  }
}

function runKey(name: string, schedule: string): string {
  return JSON.stringify([name, schedule])
}
