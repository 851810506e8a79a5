import type { UnderLeaseOptions } from '../../backup/under-lease.ts'
import type { MaintenanceOptions } from '../../history/maintenance-limits.ts'
import type { OnProgress } from '../../util/progress.ts'

export interface UpkeepOptions extends UnderLeaseOptions {
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
  /** How long what nothing needs any more stays, in milliseconds; default 24 h. */
  readonly graceMs?: number | undefined
  /** Only say what would be done; default false. */
  readonly dryRun?: boolean | undefined
  /** Compression level of what is merged; default: that of the segment format. */
  readonly level?: number | undefined
  /** Bytes of pages that a merge holds at once; default 16 MiB. */
  readonly heldBytes?: number | undefined
  /** When chains are shortened and what is worth a merge. */
  readonly limits?: MaintenanceOptions | undefined
  /** Phases: `check` (segments), `merge`, `delete` (objects). */
  readonly onProgress?: OnProgress | undefined
}

/** A segment that was made of others, or, in a dry run, would be. */
export interface MergedSegment {
  readonly kind: 'base' | 'delta'
  readonly from: number
  readonly to: number
  /** How many it was made of, whole or in part. */
  readonly segments: number
  /** Stored size; in a dry run an estimate. */
  readonly bytes: number
}

export interface DeletedSegment {
  readonly key: string
  readonly bytes: number
}

/** A segment that nothing needs, and that stays for the rest of its time of grace. */
export interface WaitingSegment extends DeletedSegment {
  /** When it was found that nothing needs it, and from when on a run deletes it: milliseconds since 1970. */
  readonly since: number
  readonly until: number
}

/** What was done, or in a dry run would be. */
export interface UpkeepReport {
  readonly database: string
  readonly dryRun: boolean
  readonly merged: readonly MergedSegment[]
  /** Deleted now: nothing needed it for the time of grace. */
  readonly deleted: readonly DeletedSegment[]
  readonly waiting: readonly WaitingSegment[]
  readonly freedBytes: number
  readonly waitingBytes: number
}
