import { HoldfastError } from '../errors.ts'
import type { Estimate } from '../history/estimate.ts'
import type {
  Moment,
  RecoveryOptions,
  RecoveryResult,
  RecoveryStatus,
  RecoveryTarget,
} from '../restore/recovery-options.ts'
import { RecoveryRun } from '../restore/recovery-run.ts'
import { stateOf, stateOfNow, timeOf } from '../restore/recovery-target.ts'
import type { RestoreResult } from '../restore/restore-options.ts'
import type { RestorePoints } from '../restore/restore-points.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { RestoreManager, type RestoreManagerOptions } from './restore-manager.ts'

/**
 * Brings a database back to any commit that was captured: to a moment, an LSN or a named snapshot, or to the state right before
 * one. What is recovered is proved before it is put in place; a failure leaves the target as it was. A moment of which
 * nothing is known is refused, and the nearest that can be recovered are named.
 *
 * It runs in an engine process, so this process opens neither the target nor what it replaces.
 *
 * @example
 * import { PointInTimeRecovery } from 'holdfast'
 *
 * await using pitr = await PointInTimeRecovery.open({ repository: './backups', database: 'app' })
 * const badDelete = new Date('2026-03-01T12:00:00.250Z')
 * const { recoveredTo, commitsReplayed } = await pitr.recoverToTimestamp(badDelete, { before: true, targetPath: 'recovered.db' })
 */
export class PointInTimeRecovery implements AsyncDisposable {
  readonly #restores: RestoreManager
  #last: RecoveryRun | undefined

  private constructor(restores: RestoreManager) {
    this.#restores = restores
  }

  /** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, NAME_NOT_FOUND, USAGE, STORAGE_*, ABORTED */
  static async open(options: RestoreManagerOptions): Promise<PointInTimeRecovery> {
    return new PointInTimeRecovery(await RestoreManager.open(options))
  }

  /** Name of the database in the repository. */
  get database(): string {
    return this.#restores.database
  }

  /**
   * Recovers what the database held at a moment or, with `before`, what it held last before it: commits seen in the very same
   * millisecond are then left out.
   * @throws RestoreError; its `phase` and message say which part was done. Its code is among NOT_RESTORABLE, USAGE, TARGET_*,
   * PROOF_FAILED, CHECK_COMMAND_FAILED, INTEGRITY, DISK_FULL, ACCESS_DENIED, STORAGE_*, ENGINE_DIED, ABORTED
   * @example
   * await pitr.recoverToTimestamp('2026-03-01T12:00:00Z', { targetPath: 'recovered.db' })
   * await pitr.recoverToTimestamp(Date.now() - 3_600_000, { targetPath: 'app.db', delta: true })
   */
  recoverToTimestamp(time: Moment, { before, ...options }: RecoveryOptions): Promise<RecoveryResult> {
    return this.#recover({ time, before }, options)
  }

  /**
   * Recovers the state with that LSN or, with `before`, the one before it.
   * @throws RestoreError as of {@link recoverToTimestamp}
   * @example
   * await pitr.recoverToLsn(18_512, { before: true, targetPath: 'recovered.db' })
   */
  recoverToLsn(lsn: number, { before, ...options }: RecoveryOptions): Promise<RecoveryResult> {
    return this.#recover({ lsn, before }, options)
  }

  /**
   * Recovers a snapshot, or any backup that has a name, or, with `before`, the last state before it.
   * @throws RestoreError as of {@link recoverToTimestamp}; BACKUP_NOT_FOUND
   * @example
   * await pitr.recoverToSnapshot('before-migration', { targetPath: 'recovered.db' })
   */
  recoverToSnapshot(name: string, { before, ...options }: RecoveryOptions): Promise<RecoveryResult> {
    return this.#recover({ snapshot: name, before }, options)
  }

  /**
   * What can be recovered: windows in which every commit can be, the gaps between them with their reasons, and the states that have
   * a backup.
   * @param from default: the beginning. Windows and gaps that reach into the range are given whole.
   * @param to default: now
   * @throws USAGE, STORAGE_*, ABORTED
   * @example
   * const { windows, gaps } = await pitr.listRecoveryPoints(Date.now() - 86_400_000)
   */
  async listRecoveryPoints(from?: Moment, to?: Moment, options: OperationOptions = {}): Promise<RestorePoints> {
    const range = { from: from === undefined ? undefined : timeOf(from), to: to === undefined ? undefined : timeOf(to) }
    if (range.from !== undefined && range.to !== undefined && range.from > range.to)
      throw new HoldfastError('USAGE', 'The range of recovery points ends before it begins.')
    return await this.#restores.listRestorePoints({ ...range, ...options })
  }

  /**
   * What a recovery would take: milliseconds, by what this machine's past restores took; bytes to fetch, bytes of free space, and
   * commits to replay.
   * @param target `now` stands for the newest state that is kept: of a database that is not followed, that of its newest backup
   * @throws NOT_RESTORABLE with the nearest states that can be recovered, BACKUP_NOT_FOUND, INTEGRITY, USAGE, STORAGE_*, ABORTED
   * @example
   * const { durationMs, bytesToWrite, commitsToReplay } = await pitr.estimateRecovery({ time: '2026-03-01T12:00:00Z', before: true })
   */
  async estimateRecovery(target: RecoveryTarget, options: OperationOptions = {}): Promise<Estimate> {
    return await this.#restores.estimate(stateOfNow(target), options)
  }

  /** Where the recovery stands that was begun last, also after it has ended; `idle` before the first. */
  getRecoveryStatus(): RecoveryStatus {
    return this.#last?.status ?? { phase: 'idle' }
  }

  /** Waits for the recoveries that run, then lets the repository go. To stop them sooner, abort their signals. */
  close(): Promise<void> {
    return this.#restores.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #recover(target: RecoveryTarget, options: Omit<RecoveryOptions, 'before'>): Promise<RecoveryResult> {
    const run = new RecoveryRun(target, options.targetPath)
    this.#last = run
    try {
      const restored = await this.#restores.restore({
        ...options,
        state: stateOf(target),
        onProgress: (progress) => {
          run.note(progress)
          options.onProgress?.(progress)
        },
      })
      const result = resultOf(restored)
      run.succeed(result)
      return result
    } catch (thrown) {
      throw run.fail(thrown)
    }
  }
}

function resultOf({ plan, proof, targetPath, mode, ...rest }: RestoreResult): RecoveryResult {
  if (proof === undefined) throw new HoldfastError('INTERNAL', 'A recovery ended without a proof.')
  const { pagesWritten, bytesFetched, durationMs, warnings } = rest
  const { database, lsn, time, backup, estimate } = plan
  const recoveredTo = { lsn, time, backup }
  const commitsReplayed = estimate.commitsToReplay
  return {
    database,
    targetPath,
    recoveredTo,
    commitsReplayed,
    pagesWritten,
    bytesFetched,
    mode,
    proof,
    durationMs,
    warnings,
  }
}
