import type { ErrorCode } from '../../errors.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { OnProgress } from '../../util/progress.ts'

export interface MirrorOptions extends OperationOptions {
  /** Names in the repository: only these databases; default all. */
  readonly databases?: readonly string[] | undefined
  /** Only say what would be done; default false. */
  readonly dryRun?: boolean | undefined
  /** How long what was deleted in the repository stays on the mirror, in milliseconds; default 7 days. */
  readonly graceMs?: number | undefined
  /** Delete nothing of a database of which more backups than this would go; default: half of the mirror's, but at least 10. */
  readonly maxDelete?: number | undefined
  /** Delete, after the grace, also what is gone from the repository without a record of its deletion; default false. */
  readonly dropMissing?: boolean | undefined
  /** Begin a new mirror also in an empty folder where this user had one before: mostly its disk is only not mounted. Default false. */
  readonly begin?: boolean | undefined
  /** How long to wait while somebody else mirrors to the same place, in milliseconds; default 0. */
  readonly leaseWaitMs?: number | undefined
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
  /** Phases: `copy` (bytes of segments), `documents` and `delete` (objects). */
  readonly onProgress?: OnProgress | undefined
}

/** Something that is not as it should be, and that mirroring did not mend. */
export interface MirrorFinding {
  /** Object key, or the name of a database. */
  readonly object: string
  /** Where it is wrong; `both`: the two contradict one another. */
  readonly side: 'source' | 'mirror' | 'both'
  readonly problem: string
  /** Where there is a sound copy of it. */
  readonly soundCopy: 'source' | 'mirror' | undefined
}

/** A database that an error kept from being mirrored, or not all of it was; the next run goes on. */
export interface MirrorFailure {
  readonly database: string
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | undefined
}

/** Gone from the repository, and kept on the mirror for the rest of its grace. Times are in milliseconds since 1970. */
export interface AbsentObject {
  readonly key: string
  readonly since: number
  readonly until: number
}

export interface MirroredObject {
  readonly key: string
  readonly bytes: number
}

/** What was done, or in a dry run would be. */
export interface MirrorReport {
  /** URLs without secrets. */
  readonly source: string
  readonly mirror: string
  readonly dryRun: boolean
  /** There was no mirror yet. */
  readonly isNew: boolean
  /** Everything that the repository held at the beginning, and that was asked for, is on the mirror, undamaged. */
  readonly complete: boolean
  /** When all of the repository was last known to be on the mirror, in milliseconds since 1970; undefined: never yet. */
  readonly completeAt: number | undefined
  readonly databases: readonly string[]
  readonly copied: { readonly objects: number; readonly bytes: number }
  /** Keys of objects that were damaged on the mirror, and were replaced. */
  readonly healed: readonly string[]
  readonly deleted: readonly MirroredObject[]
  readonly waiting: readonly AbsentObject[]
  /** Keys of what is gone from the repository without a record of its deletion: it stays. */
  readonly missing: readonly string[]
  /** Why nothing was deleted of a database, where something is due. */
  readonly heldBack: readonly { readonly database: string; readonly reason: string }[]
  readonly findings: readonly MirrorFinding[]
  /** Of several databases, those that failed; the error of a single one is thrown instead. */
  readonly failures: readonly MirrorFailure[]
  readonly durationMs: number
}
