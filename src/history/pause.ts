import type { Lsn } from './lsn.ts'

/**
 * Commits `fromLsn + 1` to `toLsn` were made while nobody looked, and were all taken afterwards. Each can be restored by its LSN; but when each
 * was made is not known, so a time in between names no state.
 */
export interface Pause {
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  /** Milliseconds since 1970: until when LSN `fromLsn` is known to have been the state, and from when LSN `toLsn` is. */
  readonly fromTime: number
  readonly toTime: number
}

/** The pause that a moment lies in, if any. */
export function pauseAt(pauses: readonly Pause[], time: number): Pause | undefined {
  return joined(pauses).find(({ fromTime, toTime }) => fromTime < time && time < toTime)
}

/** The pause in which a state came and went, if one did: neither the one that it began with nor the one that it ended with. */
export function pauseOf(pauses: readonly Pause[], lsn: Lsn): Pause | undefined {
  return joined(pauses).find(({ fromLsn, toLsn }) => fromLsn < lsn && lsn < toLsn)
}

/**
 * A pause may have been written down piece by piece, each from its beginning: the widest counts. Where one begins at the end of another,
 * nobody had caught up in between, so that this very moment lies within, too.
 */
function joined(pauses: readonly Pause[]): Pause[] {
  const all: Pause[] = []
  for (const next of pauses.toSorted((a, b) => a.fromTime - b.fromTime || a.fromLsn - b.fromLsn)) {
    const last = all.at(-1)
    if (last === undefined || next.fromTime > last.toTime) all.push(next)
    else if (next.toTime > last.toTime || (next.toTime === last.toTime && next.toLsn > last.toLsn)) {
      const { fromLsn, fromTime } = last
      all[all.length - 1] = { fromLsn, fromTime, toLsn: next.toLsn, toTime: next.toTime }
    }
  }
  return all
}
