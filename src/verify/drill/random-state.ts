import { reachableLsns } from '../../history/reachable.ts'
import { acknowledgedSegments } from '../../repository/acknowledged.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { RestoreTargetState } from '../../restore/restore-options.ts'

/**
 * Any state that can be restored, old or new: half of the time a backup that is not known to be of a damaged database, half of the
 * time a commit of the time when every one was captured. Without any, the newest, which says what is wrong.
 * @param seed a whole number from 0 to 2^32 - 1; the same one chooses the same state as long as the catalog is the same
 */
export function randomState(catalog: Catalog, seed: number): RestoreTargetState {
  const draw = drawFrom(seed)
  const backups = catalog.backups.filter(({ damaged }) => !damaged)
  const commits = reachableLsns(acknowledgedSegments(catalog)).filter(({ first, last }) => last > first)
  const total = commits.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  const backup = backups[draw(backups.length)]
  if (backup !== undefined && (total === 0 || draw(2) === 0)) return { by: 'backup', id: backup.id }
  if (total === 0) return { by: 'latest' }
  let rest = draw(total)
  for (const { first, last } of commits) {
    if (rest <= last - first) return { by: 'lsn', lsn: first + rest }
    rest -= last - first + 1
  }
  return { by: 'latest' }
}

/** Whole numbers from 0 to `limit` - 1 (mulberry32). */
function drawFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}
