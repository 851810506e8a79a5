/** Who is to do what only one may do to a database at a time, and waiting for that. */

import type { Clock } from '../../capture/clock.ts'
import { socketOf } from '../../capture/control/back-up-through-follower.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { leaseHolder } from '../../repository/lease.ts'
import type { LeaseDocument } from '../../repository/lease-document.ts'
import { leaseHeld } from '../../repository/lease-held.ts'
import { formatDuration } from '../../util/format-duration.ts'
import type { FollowedDatabase } from '../follow/followed-database.ts'
import type { StandAside } from '../schedule/scheduler.ts'

/** How work waits. */
export interface Waiting {
  readonly aside: StandAside
  readonly sleep: Clock['sleep']
  /** Told in a sentence what is waited for; undefined when that is over. */
  readonly onWait: (reason: string | undefined) => void
}

export interface PlaceInLine {
  readonly database: DatabaseRepository
  /** Asked anew at each turn, since the configuration may change meanwhile. Undefined if the agent does not follow it. */
  readonly followed: () => FollowedDatabase | undefined
  /** Whether a process of this machine is a worker of the agent. */
  readonly isWorker: (pid: number) => boolean
}

/** Who has the lease under which it is done. */
export type Turn =
  | { readonly by: 'us'; readonly followed: FollowedDatabase }
  /** Another process of this machine, which can be asked to do it. */
  | { readonly by: 'another'; readonly socket: string; readonly holder: LeaseDocument }
  | { readonly by: 'nobody' }

/** Why it is not one's turn yet. */
type NotYet =
  /** Somebody has the lease who cannot be asked. */
  | { readonly because: 'held'; readonly holder: LeaseDocument }
  /** Our own follower is about to take it. */
  | { readonly because: 'unfollowed' }
  | { readonly because: 'in-vain'; readonly error: HoldfastError }

/** Somebody who is at work on the database is waited for so long. Nobody else is kept from anything meanwhile. */
export const leaseWaitMs = 10 * 60_000
/**
 * A follower that died is back soon, and then no commit is lost; what a backup alone takes meanwhile is one step, in which they are not to be
 * told apart. One that was asked in vain may just be starting.
 */
export const followPatienceMs = 2 * 60_000
const pollMs = 5_000

/**
 * Does work as soon as its turn has come; and once more, should another have been quicker, or who was asked not be there, or have ended before
 * it was done.
 * @throws LEASE_HELD, with who has it, if that one does not let go; NOT_RUNNING if it does not answer, or always ends before; what the
 * work throws; ABORTED if the signal fires, or the scheduler stops while it waits
 */
export async function inTurn<T>(
  place: PlaceInLine,
  work: (turn: Turn) => Promise<T>,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<T> {
  const line = new Line(place, waiting)
  let next = await line.look(signal)
  for (;;) {
    if ('by' in next) {
      const turn = next
      try {
        return await work(turn)
      } catch (thrown) {
        if (signal.aborted) throw thrown
        next = line.inVain(turn, thrown)
      }
    }
    const first = next
    try {
      next = await waiting.aside((stopping) => line.wait(first, stopping))
    } finally {
      waiting.onWait(undefined)
    }
  }
}

/** One piece of work in line. Has no clock: what it waited is what it meant to. */
class Line {
  readonly #place: PlaceInLine
  readonly #waiting: Waiting
  readonly #waitedMs = { held: 0, unfollowed: 0, 'in-vain': 0 }

  constructor(place: PlaceInLine, waiting: Waiting) {
    this.#place = place
    this.#waiting = waiting
  }

  async look(signal: AbortSignal): Promise<Turn | NotYet> {
    const followed = this.#place.followed()
    if (followed?.isFollowing === true) return { by: 'us', followed }
    const holder = await this.#holder(signal)
    if (holder === undefined) {
      const isToBeFollowed = this.#expected !== undefined && this.#waitedMs.unfollowed < followPatienceMs
      return isToBeFollowed ? { because: 'unfollowed' } : { by: 'nobody' }
    }
    // A worker of ours that has just begun to follow it cannot be asked yet, and will say so.
    const socket = this.#place.isWorker(holder.owner.pid) ? undefined : socketOf(holder)
    return socket === undefined ? { because: 'held', holder } : { by: 'another', socket, holder }
  }

  /** Of work that was not called off. @throws what was thrown, unless it may go better soon */
  inVain(turn: Turn, thrown: unknown): NotYet {
    const error = toHoldfastError(thrown, this.#name)
    if (turn.by !== 'another' && error.code === 'LEASE_HELD') return { because: 'in-vain', error }
    if (turn.by === 'nobody') throw thrown
    const holder = turn.by === 'another' ? turn.holder : undefined
    if (error.code === 'ABORTED') return { because: 'in-vain', error: endedBefore(this.#name, holder, error) }
    if (error.code !== 'NOT_RUNNING') throw thrown
    return { because: 'in-vain', error: holder === undefined ? error : askedInVain(this.#name, holder, error) }
  }

  /** @throws as {@link inTurn} */
  async wait(first: NotYet, signal: AbortSignal): Promise<Turn> {
    const { sleep, onWait } = this.#waiting
    for (let why = first, told = ''; ; ) {
      const pauseMs = this.#pause(why)
      const reason = this.#reason(why)
      if (reason !== told) onWait(reason)
      told = reason
      const follower = this.#expected
      // One that is about to end still follows.
      if (follower === undefined || follower.isFollowing) await sleep(pauseMs, signal)
      else await follower.isFollowedWithin(pauseMs, signal)
      const next = await this.look(signal)
      if ('by' in next) return next
      why = next
    }
  }

  /** Our own follower, unless it was told to stop. */
  get #expected(): FollowedDatabase | undefined {
    const followed = this.#place.followed()
    return followed?.facts.state === 'stopped' ? undefined : followed
  }

  get #name(): string {
    return this.#place.database.name
  }

  /** A damaged lease protects nothing. */
  async #holder(signal: AbortSignal): Promise<LeaseDocument | undefined> {
    try {
      return await leaseHolder(this.#place.database, { signal })
    } catch (thrown) {
      if (hasCode(thrown, 'INTEGRITY')) return undefined
      throw thrown
    }
  }

  #pause(why: NotYet): number {
    const waitedMs = this.#waitedMs[why.because]
    if (why.because === 'held' && waitedMs >= leaseWaitMs) throw stillHeld(this.#name, why.holder)
    if (why.because === 'in-vain' && waitedMs >= followPatienceMs) throw why.error
    // Asking takes a place from others, for half a minute if nobody answers.
    const pauseMs = why.because === 'in-vain' ? Math.max(pollMs, waitedMs) : pollMs
    this.#waitedMs[why.because] += pauseMs
    return pauseMs
  }

  #reason(why: NotYet): string {
    switch (why.because) {
      case 'held':
        return leaseHeld(this.#name, why.holder).message
      case 'unfollowed':
        return `${this.#name} is not followed at the moment, but should be soon.`
      case 'in-vain':
        return why.error.message
    }
  }
}

function stillHeld(name: string, holder: LeaseDocument): HoldfastError {
  const { message, hint } = leaseHeld(name, holder)
  return new HoldfastError('LEASE_HELD', `${message} It did not let go for ${formatDuration(leaseWaitMs)}.`, {
    object: name,
    hint: holder.purpose === 'follow' ? 'Only where it runs can this be done: schedule it there, or end it.' : hint,
  })
}

function askedInVain(name: string, holder: LeaseDocument, error: HoldfastError): HoldfastError {
  return new HoldfastError(error.code, `${leaseHeld(name, holder).message} It was asked in vain: ${error.message}`, {
    object: name,
    cause: error,
    hint: error.hint,
  })
}

/** Whoever was asked called it off, not we: for them it was in order, for the work it is a failure. */
function endedBefore(name: string, holder: LeaseDocument | undefined, error: HoldfastError): HoldfastError {
  const message =
    holder === undefined
      ? `Following ${name} was ended before this was done.`
      : `${leaseHeld(name, holder).message} It was asked, and ended before this was done.`
  return new HoldfastError('NOT_RUNNING', message, {
    object: name,
    cause: error,
    hint: 'See what ends it, or starts it anew, again and again.',
  })
}
