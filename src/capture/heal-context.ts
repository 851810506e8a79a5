import type { Lsn } from '../history/lsn.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Lease } from '../repository/lease.ts'
import type { SegmentHeader } from '../segment/segment.ts'
import type { FollowPosition, FollowStart } from '../source/follower.ts'
import type { GapReason } from './gap-reasons.ts'
import type { OpenSegmentPlace } from './spool/open-segment.ts'

export type StartAnew = Extract<FollowStart, { kind: 'anew' }>

export interface HealContext {
  /** Where the follower stands, once it has begun. */
  readonly position: () => FollowPosition
  readonly place: OpenSegmentPlace
  readonly database: DatabaseRepository
  /** The number of the next state, higher than all that are taken. */
  readonly next: Lsn
  /** What there is at all, even if it cannot be built on. */
  readonly highest: { readonly lsn: Lsn; readonly time: number }
  readonly reason: GapReason
  /** Store a delta even if nothing changed, since the number after the newest state is taken. */
  readonly renumber: boolean
  /** Store a delta even if nothing changed, since commits are missing that may have undone one another. */
  readonly missed: boolean
  /** Of what goes to the spool. */
  readonly epoch: number
  readonly codec: SegmentHeader['codec']
  readonly level: number | undefined
  readonly signal: AbortSignal | undefined
  /** Nothing waits in the spool, so that a delta may go past it, if it has no room for that. */
  readonly mayPassSpool: () => boolean
  /** Resolves when all that waits in the spool is in the repository, or was lost, with the newest state that is there then. */
  readonly settled: () => Promise<{ readonly lsn: Lsn; readonly time: number }>
  /** Publishes something in the repository; the signal fires with `signal`, and when the lease is lost. */
  readonly underLease: <T>(work: (lease: Lease, epoch: number, signal: AbortSignal) => Promise<T>) => Promise<T>
  /** The next number may be taken from now on, even if healing fails. */
  readonly onTaken: () => void
}
