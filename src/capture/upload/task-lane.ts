import { type HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { Lease } from '../../repository/lease.ts'
import { abortable, throwIfAborted } from '../../util/abort.ts'
import type { LeaseKeeper } from './lease-keeper.ts'

export interface TaskLaneContext {
  readonly lease: Pick<LeaseKeeper, 'assertHeld' | 'lease' | 'epoch'>
  /** The numbers at which the history may end, as far as this process has written it. */
  readonly endsAt: () => readonly Lsn[]
  /** Another writer has the database. */
  readonly onLost: (error: HoldfastError) => void
  readonly stopSignal: AbortSignal
}

/**
 * What is done in the repository under a capture's lease beside its uploads, one task after the other. Uploads go on meanwhile: they
 * only add commits after the newest state, which every task leaves reachable; so a long one does not hold them up.
 */
export class TaskLane {
  readonly #context: TaskLaneContext
  #last: Promise<unknown> = Promise.resolve()
  #failure: HoldfastError | undefined

  constructor(context: TaskLaneContext) {
    this.#context = context
  }

  /** @throws what the work throws; LEASE_*, STORAGE_*; ABORTED if the capture stops before, or the signal fires */
  run<T>(
    work: (lease: Lease, epoch: number, signal: AbortSignal) => Promise<T>,
    given: AbortSignal | undefined,
  ): Promise<T> {
    const { stopSignal } = this.#context
    const signal = given === undefined ? stopSignal : AbortSignal.any([stopSignal, given])
    const before = this.#last
    const done = abortable(before, signal).then(async () => {
      await this.#assertHeld(signal)
      const { lease, epoch } = this.#context.lease
      return await work(lease, epoch, signal)
    })
    this.#last = Promise.allSettled([before, done])
    return done
  }

  /** Nothing is done any more: every task that waits, and every later one, fails with this. */
  fail(error: HoldfastError): void {
    this.#failure ??= error
  }

  /** Resolves when no task is under way. */
  async whenIdle(): Promise<void> {
    await this.#last
  }

  async #assertHeld(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    const { lease, endsAt, onLost, stopSignal } = this.#context
    try {
      if (this.#failure !== undefined) throw this.#failure
      await lease.assertHeld(endsAt(), stopSignal)
    } catch (thrown) {
      const error = toHoldfastError(thrown)
      if (hasCode(error, 'LEASE_HELD', 'LEASE_LOST')) onLost(error)
      throw error
    }
  }
}
