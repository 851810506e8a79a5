import type { DatabaseSync } from 'node:sqlite'
import { deleteBefore } from './operation-rows.ts'

/** The time that operations are kept for is looked at in so many parts. */
const parts = 24

/**
 * Forgets operations that are older than so much time in which something was recorded. Two parts of it without any operation count for nothing:
 * the machine was off, or its clock is wrong after them, and neither is a reason to lose what is known. Operations of the future are kept, too.
 * @param now milliseconds since 1970
 */
export function forgetOperations(database: DatabaseSync, now: number, keepMs: number): void {
  const partMs = keepMs / parts
  const newestUntil = database.prepare('SELECT max(started_at) AS at FROM operations WHERE started_at <= ?')
  let at = now
  let passed = 0
  while (passed < keepMs) {
    const earlier = newestUntil.get(Math.floor(at - partMs))?.['at']
    if (typeof earlier !== 'number') return
    if (at - earlier <= 2 * partMs) passed += at - earlier
    at = earlier
  }
  deleteBefore(database, at + passed - keepMs)
}
