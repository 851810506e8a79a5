import type { DatabaseFollower, DrainResult } from '../source/follower.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { FollowSettings } from './follow-options.ts'
import type { GapReason } from './gap-reasons.ts'
import { HandOffPolicy } from './hand-off-policy.ts'

/** What a log needs besides being drained: handing it back to the database before it grows large, and audits. */
export class LogUpkeep {
  readonly #settings: FollowSettings
  readonly #handOff: HandOffPolicy
  #auditAt: number
  #commitsSinceAudit: number

  /** @param isUnsure the last capture did not stop in order: an audit comes first */
  constructor(settings: FollowSettings, isUnsure: boolean) {
    this.#settings = settings
    this.#handOff = new HandOffPolicy(settings)
    this.#commitsSinceAudit = isUnsure ? 1 : 0
    this.#auditAt = settings.clock.now() + (isUnsure ? 0 : settings.auditIntervalMs)
  }

  /** Drains, or hands off, which drains too; and does what else is due. Returns why continuity is lost, if it is. */
  async run(follower: DatabaseFollower, writer: BatchWriter): Promise<GapReason | undefined> {
    const { clock } = this.#settings
    const now = clock.now()
    const handOffAt = this.#handOff.dueAt(follower.logBytes, now)
    const isDue = handOffAt !== undefined && handOffAt <= now
    const lost = isDue ? await this.#handBack(follower, writer) : await this.#drain(follower, writer)
    if (lost !== undefined) return lost
    return this.#isAuditDue(now) ? await this.#audit(follower, writer) : undefined
  }

  /** When something is due, in the clock's milliseconds. */
  dueAt(follower: DatabaseFollower, now: number): readonly (number | undefined)[] {
    const audits = this.#settings.auditIntervalMs > 0 && this.#commitsSinceAudit > 0
    return [this.#handOff.dueAt(follower.logBytes, now), audits ? this.#auditAt : undefined]
  }

  async #drain(follower: DatabaseFollower, writer: BatchWriter): Promise<GapReason | undefined> {
    return (await this.#counted(writer, () => follower.drain(writer))).lost
  }

  async #handBack(follower: DatabaseFollower, writer: BatchWriter): Promise<GapReason | undefined> {
    const { clock, onEvent } = this.#settings
    const result = await this.#counted(writer, () => follower.handOff(writer))
    const { complete, lockHeldMs, framesBefore, framesLeft, lost } = result
    onEvent({ kind: 'handed-off', complete, lockHeldMs, framesBefore, framesLeft })
    const warning = this.#handOff.done(result, clock.now())
    if (warning !== undefined) onEvent({ kind: 'warning', ...warning })
    // The next writer resets the log, and a position in the former one is worth nothing then: what was taken is kept at once.
    if (lost === undefined && complete) await writer.close()
    return lost
  }

  async #audit(follower: DatabaseFollower, writer: BatchWriter): Promise<GapReason | undefined> {
    const { clock, auditIntervalMs } = this.#settings
    const { lost, equal } = await this.#counted(writer, () => follower.audit(writer))
    this.#commitsSinceAudit = 0
    this.#auditAt = clock.now() + auditIntervalMs
    return lost ?? (equal ? undefined : 'audit-failed')
  }

  async #counted<T extends DrainResult>(writer: BatchWriter, work: () => Promise<T>): Promise<T> {
    const before = writer.last.lsn
    const bytesBefore = writer.takenBytes
    const result = await work()
    const { lsn, time } = writer.last
    if (lsn > before) {
      this.#commitsSinceAudit += lsn - before
      this.#settings.onEvent({
        kind: 'commits',
        count: lsn - before,
        bytes: writer.takenBytes - bytesBefore,
        lsn,
        time,
      })
    }
    return result
  }

  #isAuditDue(now: number): boolean {
    return this.#settings.auditIntervalMs > 0 && this.#commitsSinceAudit > 0 && now >= this.#auditAt
  }
}
