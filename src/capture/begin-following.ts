import { HoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { underLease } from '../maintenance/upkeep/under-lease.ts'
import type { FollowPosition, FollowStart } from '../source/follower.ts'
import type { CaptureStart } from './capture-events.ts'
import { type GapReason, isExpectedGap, isLossOfCommits } from './gap-reasons.ts'
import { heal } from './heal.ts'
import type { KnownHistory } from './history-end.ts'
import type { Session } from './session.ts'

/** What the next state's number is made of. */
export interface Numbers {
  /** The highest number that is taken. */
  highest: Lsn
}

export interface Begun {
  readonly known: KnownHistory
  readonly how: CaptureStart
}

/**
 * Makes the history go on from what the follower started at: from the position, or, where that was not possible, by a
 * healing delta or a base. Says so, and records the gap.
 */
export async function beginFollowing(
  session: Session,
  { start, position }: { readonly start: FollowStart; readonly position: () => FollowPosition },
  known: KnownHistory | undefined,
  numbers: Numbers,
  reason: GapReason,
  signal: AbortSignal | undefined,
): Promise<Begun> {
  const { settings, spool, uploader, place, database, lease } = session
  if (start.kind === 'resumed') {
    if (known === undefined) throw new HoldfastError('INTERNAL', 'The follower resumed from nothing.')
    return { known, how: 'resumed' }
  }
  const next = toLsn(numbers.highest + 1)
  const renumber = known !== undefined && known.end.lsn < numbers.highest
  const healed = await heal(start, known, {
    position,
    place,
    database,
    next,
    highest: { lsn: numbers.highest, time: Math.max(session.highest.time, known?.end.time ?? 0) },
    reason: reason === 'not-running' ? (renumber ? 'number-taken' : (start.reason ?? reason)) : reason,
    renumber,
    missed: start.missed || isLossOfCommits(reason),
    epoch: lease.epoch,
    codec: settings.codec,
    level: settings.level,
    signal,
    settled: async () => {
      await uploader.whenSettled()
      return { lsn: uploader.durable, time: uploader.durableTime }
    },
    underLease: (work) =>
      uploader.exclusively((held, epoch, stop) => {
        const options = { lease: held, signal: stop }
        return underLease(database, 'follow', options, (sameLease, any) => work(sameLease, epoch, any))
      }, signal),
    onTaken: () => {
      numbers.highest = next
    },
  })
  const { end } = healed.known
  numbers.highest = toLsn(Math.max(numbers.highest, end.lsn))
  if (healed.kind === 'delta') {
    spool.add(healed.item)
    uploader.wake()
  } else {
    if (healed.kind === 'base') uploader.advance(end)
    await session.position.write({ lsn: end.lsn, position: position(), clean: false })
  }
  const { gap } = healed
  if (gap !== undefined) {
    settings.onEvent({ kind: 'gap', ...gap })
    const message = `Commits between LSN ${gap.fromLsn} and ${gap.toLsn} cannot be restored one by one: ${gap.reason}.`
    if (!isExpectedGap(gap.reason)) settings.onEvent({ kind: 'warning', message })
  }
  const how = healed.kind === 'unchanged' ? 'unchanged' : gap === undefined ? 'first' : 'healed'
  return { known: healed.known, how }
}
