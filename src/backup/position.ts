import { type Lsn, toLsn } from '../history/lsn.ts'
import type { Catalog } from '../repository/catalog.ts'

/** Where the next state stands in the history. */
export interface Position {
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
  /** How far the clock has gone back since the newest state; 0 if it has not. */
  readonly clockStepMs: number
}

/**
 * Numbers and times never go back within a history, whatever the clock does.
 * @param claimed an LSN that is known to be given out although the catalog may not show it yet
 */
export function nextPosition({ segments, backups }: Catalog, capturedAt: number, claimed = 0): Position {
  let lsn = claimed
  let newest = 0
  for (const { to, lastTime } of segments) {
    lsn = Math.max(lsn, to)
    newest = Math.max(newest, lastTime)
  }
  for (const backup of backups) lsn = Math.max(lsn, backup.lsn)
  return { lsn: toLsn(lsn + 1), time: Math.max(capturedAt, newest), clockStepMs: Math.max(0, newest - capturedAt) }
}

/** The highest epoch in which anything was written; 0 in a history without anything. */
export function highestEpoch({ segments }: Pick<Catalog, 'segments'>): number {
  return segments.reduce((highest, { epoch }) => Math.max(highest, epoch), 0)
}
