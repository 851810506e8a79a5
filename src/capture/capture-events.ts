import type { Lsn } from '../history/lsn.ts'
import type { GapRecord } from '../history/windows.ts'

/** How following began. */
export type CaptureStart =
  /** The first state of this database that is kept: all of it was stored. */
  | 'first'
  /** Where it was left: no commit is missing. */
  | 'resumed'
  /** The database is still as in its newest kept state, and nothing shows that it was written to in between. */
  | 'unchanged'
  /** Commits are missing: what changed since was stored as one delta, and the gap was recorded. */
  | 'healed'

/** What is not in the repository yet. */
export interface Unsent {
  readonly segments: number
  readonly bytes: number
  /** Nothing after this state was kept, since the spool could not take it; absent if all that was taken was kept. */
  readonly gaveUpAfter?: Lsn | undefined
}

/** Times are in milliseconds since 1970, durations in milliseconds. */
export type CaptureEvent =
  /** `deltas`: the database has no write-ahead log, so that only one state an interval is kept, not every commit. */
  | {
      readonly kind: 'started'
      readonly mode: 'commits' | 'deltas'
      readonly how: CaptureStart
      readonly lsn: Lsn
      readonly time: number
    }
  /** Commits were taken from the log; they are in the spool or about to be. */
  | {
      readonly kind: 'commits'
      readonly count: number
      /** Of the pages that they changed, each as often as it was. */
      readonly bytes: number
      readonly lsn: Lsn
      readonly time: number
    }
  /** A segment is durable in the repository; `lagMs` since its first commit was seen. */
  | {
      readonly kind: 'uploaded'
      readonly segment: string
      readonly lsn: Lsn
      readonly bytes: number
      readonly lagMs: number
    }
  | {
      readonly kind: 'handed-off'
      readonly complete: boolean
      readonly lockHeldMs: number
      readonly framesBefore: number
      readonly framesLeft: number
    }
  /** Commits between two states are lost as restore points; both states are kept. */
  | ({ readonly kind: 'gap' } & GapRecord)
  | { readonly kind: 'warning'; readonly message: string; readonly hint?: string | undefined }
  | {
      readonly kind: 'retrying'
      readonly what: 'upload' | 'database'
      readonly message: string
      readonly delayMs: number
      readonly failures: number
    }
  /** `merged`: waiting logs were merged into one delta; `gave-up`: commits are not kept until the repository is back. */
  | {
      readonly kind: 'spool-full'
      readonly action: 'merged' | 'gave-up'
      readonly bytes: number
      readonly limitBytes: number
    }
  | { readonly kind: 'stopped'; readonly left: Unsent }

export type OnCaptureEvent = (event: CaptureEvent) => void
