import { highestEpoch, nextPosition } from '../../backup/position.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { Lease } from '../../repository/lease.ts'
import { longestTtlMs } from '../../repository/lease-held.ts'

export interface LeaseKeeperOptions {
  readonly waitMs?: number | undefined
  /** Where this process can be asked to do something under the lease; see {@link LeaseOptions}. */
  readonly control?: string | undefined
  /** Id of the state folder, which this process has locked. */
  readonly home?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Long, since an idle database must cost next to no requests; a dead owner on this machine is recognised at once anyway. */
const ttlMs = longestTtlMs

/**
 * While it uploads, it looks so often whether the lease is still its own. Nobody takes one over that is held, but a person who deletes
 * the document has it taken, and whatever is uploaded after that is void.
 */
const confirmMs = 60_000

/** While it is held, it says at least so often that everything is in the repository, if that is so, though one renewal may fail. */
export const coverLastsMs = 45 * 60_000

/** Keeps the lease for as long as a capture runs, also over a time in which the repository cannot be reached. */
export class LeaseKeeper implements AsyncDisposable {
  readonly #database: DatabaseRepository
  readonly #place: Pick<LeaseKeeperOptions, 'control' | 'home'>
  readonly #cover: { at: () => number | undefined }
  #lease: Lease
  /** 0 until the history was seen. */
  #epoch = 0
  #retaken: Promise<void> | undefined

  private constructor(
    database: DatabaseRepository,
    lease: Lease,
    place: Pick<LeaseKeeperOptions, 'control' | 'home'>,
    cover: { at: () => number | undefined },
  ) {
    this.#database = database
    this.#lease = lease
    this.#place = place
    this.#cover = cover
  }

  /** @throws LEASE_HELD, ABORTED, STORAGE_* */
  static async acquire(database: DatabaseRepository, options: LeaseKeeperOptions): Promise<LeaseKeeper> {
    // Before following has begun, nothing is known of what was committed.
    const cover: { at: () => number | undefined } = { at: () => undefined }
    const coveredAt = (): number | undefined => cover.at()
    const lease = await Lease.acquire(database, { purpose: 'follow', ttlMs, coveredAt, ...options })
    return new LeaseKeeper(database, lease, { control: options.control, home: options.home }, cover)
  }

  /**
   * From now on it is written into the lease until when everything committed is in the repository, as far as known. Never fails: what cannot
   * be written now comes with the next renewal.
   */
  async tellCover(at: () => number | undefined): Promise<void> {
    this.#cover.at = at
    await this.#lease.confirm().catch(() => {})
  }

  /** The one that is held now. */
  get lease(): Lease {
    return this.#lease
  }

  get epoch(): number {
    return this.#epoch
  }

  /**
   * To be called before anything is written.
   * @param segments of the history, and what waits to be uploaded: where the lease was lost, its epoch can be above all that was. Whatever
   * is captured in a lower one than that would be void.
   * @throws LEASE_LOST, STORAGE_*
   */
  async seen(segments: readonly SegmentInfo[]): Promise<void> {
    await this.#lease.raiseEpoch(highestEpoch({ segments }))
    this.#epoch = this.#lease.epoch
  }

  /**
   * To be called before anything is published. A lease that ran out is taken again, if the history still ends where we left it.
   * @param endsAt the number of the last segment that was uploaded, and perhaps of the next, whose upload may have succeeded
   * @throws LEASE_HELD, LEASE_LOST, STORAGE_*
   */
  async assertHeld(endsAt: readonly Lsn[], signal: AbortSignal): Promise<void> {
    try {
      this.#lease.assertHeld()
      await this.#lease.confirmWithin(confirmMs)
      return
    } catch (error) {
      if (!hasCode(error, 'LEASE_LOST')) throw error
    }
    // Uploads and upkeep go on beside one another: one of them takes it for both.
    this.#retaken ??= this.#retake(endsAt, signal).finally(() => {
      this.#retaken = undefined
    })
    await this.#retaken
  }

  async #retake(endsAt: readonly Lsn[], signal: AbortSignal): Promise<void> {
    const coveredAt = (): number | undefined => this.#cover.at()
    const lease = await Lease.acquire(this.#database, { purpose: 'follow', ttlMs, coveredAt, ...this.#place, signal })
    try {
      await this.#requireOurs(lease, endsAt, signal)
    } catch (error) {
      await lease[Symbol.asyncDispose]()
      throw error
    }
    // Not before: whoever asks meanwhile, or again after a failure, must not find one that is held.
    await this.#lease[Symbol.asyncDispose]()
    this.#lease = lease
    this.#epoch = lease.epoch
  }

  async #requireOurs(lease: Lease, endsAt: readonly Lsn[], signal: AbortSignal): Promise<void> {
    const catalog = await this.#database.catalog({ signal })
    // What waits to be uploaded has the epoch of the lease before.
    await lease.raiseEpoch(Math.max(highestEpoch(catalog), this.#epoch))
    const highest = nextPosition(catalog, 0).lsn - 1
    if (endsAt.some((lsn) => lsn === highest)) return
    throw new HoldfastError(
      'LEASE_LOST',
      `While the lease on ${this.#database.name} had run out, another process wrote to its history, up to LSN ${highest}.`,
      { object: this.#database.name, hint: 'Start following again: it goes on from there.' },
    )
  }

  /** @throws LEASE_LOST if somebody had taken it over: what was uploaded after that is void; STORAGE_* that do not pass */
  async release(): Promise<void> {
    await this.#lease.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease[Symbol.asyncDispose]()
  }
}
