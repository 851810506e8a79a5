/**
 * The contract of a place that a database is restored to. Pages are written, the whole is proved from what can be read
 * back, and only {@link RestoreTarget.commit} lets anyone see it. Until then, or if it is never called, the old file stands.
 */
import type { DatabaseFacts, ValidationReport } from './facts.ts'
import type { ValidationLevel } from './source.ts'

export interface RestoreTarget extends AsyncDisposable {
  /** `delta`: an existing file is changed in place, under a rollback journal. Otherwise a file beside the target takes its place. */
  readonly mode: 'create' | 'replace' | 'delta'

  /**
   * In `delta` mode: the page hashes of the existing file, every page but the lock page, ascending; to be read before the first
   * {@link write}. A page whose hash is already right need not be written.
   */
  currentHashes?(): AsyncIterable<CurrentHashes>

  /**
   * In `delta` mode: says which pages will be written (entry `page - 1` is 1), before the first {@link write}.
   * @throws DISK_FULL if there is no room for them and for what they replace
   */
  expect?(wanted: Uint8Array): Promise<void>

  /**
   * Writes whole pages, in any order, from any number of callers at once (for one page, one at a time: the last counts). Page `pages[i]` is `values.subarray(i * pageSize, (i + 1) * pageSize)`. `values` are the
   * target's until it resolves.
   * @throws DISK_FULL, ABORTED
   */
  write(pages: Uint32Array, values: Uint8Array, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>

  /** Reads pages back as they stand, one after the other: what was written last, or in `delta` mode the old content; zeros where there is none. */
  read(pages: Uint32Array): Promise<Uint8Array>

  /** Bytes of pages accepted so far. */
  readonly bytesWritten: number

  /**
   * Proves the written file from the disk; called once, after the last write.
   * @throws PROOF_FAILED saying which proof, what was expected and what was found; CHECK_COMMAND_FAILED, DISK_FULL, ABORTED
   */
  prove(expected: ExpectedState, options?: ProveOptions): Promise<Proof>

  /**
   * Puts the proved file in place, durably. When it throws, the old file stands; only if the very last step fails, which makes
   * the new name durable, is it the new one.
   * @throws TARGET_LIVE, TARGET_EXISTS (it came into being meanwhile), DISK_FULL, ACCESS_DENIED
   */
  commit(): Promise<void>
}

export interface CurrentHashes {
  readonly pages: Uint32Array
  readonly hashes: BigUint64Array
}

export interface ExpectedState {
  /** State checksum of the wanted state. */
  readonly state: bigint
  /** From the backup's manifest: schema, settings and row counts must be the same. Row counts that are null there are not compared. */
  readonly facts?: DatabaseFacts | undefined
  /** `quick` and `integrity` also check foreign keys. */
  readonly level: ValidationLevel
  /** Count rows and compare them with `facts`. */
  readonly rowCounts: boolean
  /** For the shell; gets the file's path as `$1` and in HOLDFAST_RESTORED_FILE. It must exit with 0 and leave the file unchanged. */
  readonly command?: string | undefined
  /** How long the command may run, in milliseconds; default ten minutes. */
  readonly commandTimeoutMs?: number | undefined
  /** The backed-up database was known to be damaged: what SQLite complains of, or cannot read, is reported, not refused. */
  readonly alreadyDamaged?: boolean | undefined
  /**
   * The checks that the database was put through at backup. What only a deeper one complains of is damage of the backed-up
   * database itself, and reported. Undefined: whatever fails is refused.
   */
  readonly levelAtBackup?: ValidationLevel | undefined
  /** Foreign key violations at backup; more than these are refused. Undefined when they were not counted: then none are. */
  readonly expectedForeignKeyViolations?: number | undefined
}

export interface ProveOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes read back, of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Proof {
  /** The state checksum that was read back. */
  readonly state: bigint
  readonly pagesHashed: number
  readonly validation: ValidationReport
  /** Undefined when there was nothing to compare with; false only for a damaged database, whose `warnings` tell. */
  readonly factsMatch: boolean | undefined
  /** Tables whose row counts were compared. */
  readonly tablesCompared: number
  readonly command?: { readonly output: string; readonly durationMs: number } | undefined
  /** What is wrong with the backed-up database itself, whose very bytes these are. */
  readonly warnings: readonly string[]
  readonly durationMs: number
}
