import type { ScheduleTrigger } from './schedule-spec.ts'

/** Commits, and bytes of the pages that they changed, counted from the beginning. */
export interface Counters {
  readonly commits: number
  readonly bytes: number
}

/** How far a database has come. */
export interface DatabaseProgress extends Counters {
  /** Milliseconds since 1970; undefined while nothing is known to have been committed. */
  readonly lastCommitAt?: number | undefined
}

/** When a run is due by what was committed since the last one; undefined as long as it is not. */
export function dueByProgress(
  trigger: ScheduleTrigger,
  { commits, bytes, lastCommitAt }: DatabaseProgress,
  lastRun: Counters,
): number | undefined {
  if (lastCommitAt === undefined) return undefined
  switch (trigger.on) {
    case 'commits':
      return commits - lastRun.commits >= trigger.count ? lastCommitAt : undefined
    case 'bytes':
      return bytes - lastRun.bytes >= trigger.count ? lastCommitAt : undefined
    case 'quiet':
      return commits > lastRun.commits ? lastCommitAt + trigger.forMs : undefined
    default:
      return undefined
  }
}
