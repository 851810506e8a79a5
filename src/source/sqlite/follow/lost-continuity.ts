import type { LossReason } from '../../follower.ts'

/** Thrown within a drain, and reported by it as its result: commits may have been missed. */
export class LostContinuity extends Error {
  override readonly name = 'LostContinuity'
  readonly reason: LossReason

  constructor(reason: LossReason, message: string) {
    super(message)
    this.reason = reason
  }
}
