import type { OnProgress } from '../util/progress.ts'

/**
 * What a level proves.
 * - `metadata`: every manifest and segment index is readable and undamaged, and every backup's chain is complete and fits by state checksum.
 * - `data`: also every stored byte is as it was written, decompresses, and every page hashes to its index.
 * - `restore`: also each backup can be restored: to a scratch file, with its state checksum, integrity_check, foreign keys, schema and row counts.
 */
export type VerifyLevel = 'metadata' | 'data' | 'restore'

export interface VerifyOptions {
  /** Default `data`. */
  readonly level?: VerifyLevel | undefined
  /** Only these databases; default all. */
  readonly databases?: readonly string[] | undefined
  /** Only this backup (id or name) and the chain that it needs. */
  readonly backup?: string | undefined
  /**
   * Part of the segments of all these databases together (at `restore`: also of their backups) to check, 0 < subset ≤ 1; default 1.
   * At least one object is. What waited longest comes first, in turn with what was never checked: if nothing comes or goes,
   * `ceil(1 / subset)` runs check everything.
   */
  readonly subset?: number | undefined
  /**
   * Begin no further object after this many milliseconds; at `restore`, no further segment after half of them. Manifests and indexes
   * are always checked, all of them.
   */
  readonly maxDurationMs?: number | undefined
  /** Folder for scratch restores; default: the system's temporary folder. */
  readonly scratchFolder?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Phases: `metadata` (objects), `data` (bytes), `restore` (objects). */
  readonly onProgress?: OnProgress | undefined
}

export interface VerifyFinding {
  readonly database: string | undefined
  /** Object key, or backup id. */
  readonly object: string
  readonly problem: string
  /** Ids of the backups that cannot be restored because of it. */
  readonly affectedBackups: readonly string[]
}

export interface VerifyResult {
  readonly level: VerifyLevel
  readonly ok: boolean
  readonly findings: readonly VerifyFinding[]
  readonly checked: {
    readonly manifests: number
    readonly segments: number
    readonly bytes: number
    readonly restores: number
  }
  /** Objects left for a later run by `subset` or `maxDurationMs`, and the backups that were not tried. */
  readonly remaining: number
  /** Backups that were not tried at `restore`, because the scratch folder has no room for them. Each is in a warning. */
  readonly untried: number
  /** Backups known to be restorable: nothing found against any object of their chains. */
  readonly restorable: readonly string[]
  /**
   * What does not change the verdict: what the trial restores warned of, which backups there was no room to try, and that the results could not be remembered, because the
   * repository is read-only or full.
   */
  readonly warnings: readonly string[]
  readonly durationMs: number
}
