import { underLease } from '../backup/under-lease.ts'
import { HoldfastError, hasCode } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { FollowPosition, FollowStart } from '../source/follower.ts'
import type { CaptureStart } from './capture-events.ts'
import { type GapReason, isExpectedGap, isLossOfCommits } from './gap-reasons.ts'
import { forgetGivenUp } from './giving-up.ts'
import { heal } from './heal.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import type { SavedPosition } from './position-file.ts'
import type { Session } from './session.ts'

/** What the next state's number is made of. */
export interface Numbers {
  /** The highest number that is taken. */
  highest: Lsn
}

export interface FollowingParts {
  readonly start: FollowStart
  readonly position: () => FollowPosition
  /** As long as the state is held, nobody can write. */
  readonly blocksWriters?: boolean | undefined
}

export interface Begun {
  readonly known: KnownHistory
  readonly how: CaptureStart
  /** When that state was the present one, in milliseconds since 1970; undefined if only its own time tells. */
  readonly seenAt: number | undefined
}

/**
 * Makes the history go on from what the follower started at: from the position, or, where that was not possible, by a
 * healing delta or a base. Says so, and records the gap.
 */
export async function beginFollowing(
  session: Session,
  { start, position, blocksWriters = false }: FollowingParts,
  known: KnownHistory | undefined,
  numbers: Numbers,
  reason: GapReason,
  signal: AbortSignal | undefined,
): Promise<Begun> {
  const { settings, spool, uploader, place, database, lease } = session
  if (start.kind === 'resumed') {
    if (known === undefined) throw new HoldfastError('INTERNAL', 'The follower resumed from nothing.')
    await forgetGivenUp(session)
    return { known, how: 'resumed', seenAt: undefined }
  }
  const next = toLsn(numbers.highest + 1)
  const renumber = known !== undefined && known.end.lsn < numbers.highest
  const isEmptied = start.pageCount === 0 && known !== undefined && known.end.pageCount > 0
  const why = reason === 'not-running' ? (start.reason ?? (renumber ? 'number-taken' : reason)) : reason
  const healed = await heal(start, known, {
    position,
    place,
    database,
    next,
    highest: { lsn: numbers.highest, time: Math.max(session.highest.time, known?.end.time ?? 0) },
    reason: isEmptied ? 'emptied' : why,
    renumber,
    missed: start.missed || isLossOfCommits(reason),
    epoch: lease.epoch,
    codec: settings.codec,
    level: settings.level,
    signal,
    // Writers that wait for our reading must not wait for the repository, too.
    mayPassSpool: () => !blocksWriters && !spool.isBroken && spool.items.length === 0,
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
  if (healed.kind === 'spooled') {
    spool.add(healed.item)
    uploader.wake()
  } else {
    if (healed.kind === 'published') published(session, healed.segment, end)
    await savePosition(session, { lsn: end.lsn, position: position(), clean: false })
  }
  await forgetGivenUp(session)
  const { gap } = healed
  if (gap !== undefined) {
    settings.onEvent({ kind: 'gap', ...gap })
    const message = `Commits between LSN ${gap.fromLsn} and ${gap.toLsn} cannot be restored one by one: ${gap.reason}.`
    if (!isExpectedGap(gap.reason)) settings.onEvent({ kind: 'warning', message })
  }
  const how = healed.kind === 'unchanged' ? 'unchanged' : gap === undefined ? 'first' : 'healed'
  return { known: healed.known, how, seenAt: start.capturedAt }
}

/** A delta is told like any upload; a base belongs to how following began. */
function published(
  { uploader, settings }: Session,
  { kind, key, bytes }: SegmentInfo,
  { lsn, time }: HistoryEnd,
): void {
  uploader.advance({ lsn, time })
  const lagMs = Math.max(0, settings.clock.now() - time)
  if (kind === 'delta') settings.onEvent({ kind: 'uploaded', segment: key, lsn, bytes, lagMs })
}

/** What is in the repository is not to be stored again and again because this disk is full: the next start compares it then. */
async function savePosition({ position, settings }: Session, saved: SavedPosition): Promise<void> {
  try {
    await position.write(saved)
  } catch (thrown) {
    if (!hasCode(thrown, 'DISK_FULL')) throw thrown
    const message = `The position could not be saved: ${thrown.message}`
    settings.onEvent({ kind: 'warning', message, hint: thrown.hint })
  }
}
