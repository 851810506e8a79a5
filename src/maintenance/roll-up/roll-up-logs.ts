import { hasCode } from '../../errors.ts'
import { planRollUp, type RollUpOptions } from '../../history/roll-up.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { outOfTrash, readRetention } from '../../repository/retention-record.ts'
import { findDamage } from '../../segment/damage-report.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { type MergeLogsOptions, mergeLogs } from './merge-logs.ts'

/** Logs that were replaced, and by how many. */
export interface RollUpResult {
  replaced: number
  merged: number
}

/**
 * Merges runs of small neighbouring logs into larger ones; every commit stays restorable. A merged log is published and read back
 * before what it replaces is deleted, and an interrupted run is completed by the next. The caller holds the database's lease.
 * @param result to which what is done is added, also if it fails; default: none
 * @returns that result
 * @throws INTEGRITY, STORAGE_*, DISK_FULL, ABORTED
 */
export async function rollUpLogs(
  database: DatabaseRepository,
  options: RollUpOptions & MergeLogsOptions = {},
  result: RollUpResult = { replaced: 0, merged: 0 },
): Promise<RollUpResult> {
  const { signal } = options
  const { segments, gaps } = await database.catalog({ signal })
  const record = await readRetention(database, { signal })
  // A log that begins with what is to be deleted would begin where nothing leads to any more, and take what is kept with it.
  const { merges, covered } = planRollUp(outOfTrash(segments, record), gaps, options)
  for (const [by, inner] of Map.groupBy(covered, (pair) => pair.by)) {
    result.replaced += await removeCovered(
      database,
      by,
      inner.map(({ segment }) => segment),
      { signal },
    )
  }
  for (const run of merges) {
    const by = await mergeLogs(database, run, options)
    result.merged += 1
    result.replaced += await removeCovered(database, by, run, { signal })
  }
  return result
}

/** Deletes those logs that a larger one is proved to hold: it is sound, and passes through their start and end states. @returns how many */
export async function removeCovered(
  database: Pick<DatabaseRepository, 'storage' | 'openSegment'>,
  by: SegmentInfo,
  inner: readonly SegmentInfo[],
  { signal }: OperationOptions,
): Promise<number> {
  const outer = await database.openSegment(by, { signal })
  if ((await findDamage(outer.checkContents({ signal }))).length > 0) return 0
  const states = new Map<number, bigint>([[outer.header.from, outer.header.startState]])
  for await (const { lsn, state } of outer.commits({ signal })) states.set(lsn, state)
  let removed = 0
  for (const segment of inner) {
    if (!(await isHeld(database, segment, states, { signal }))) continue
    await database.storage.delete(segment.key, { signal })
    removed += 1
  }
  return removed
}

/** What cannot be read proves nothing: it stays. */
async function isHeld(
  database: Pick<DatabaseRepository, 'openSegment'>,
  segment: SegmentInfo,
  states: ReadonlyMap<number, bigint>,
  options: OperationOptions,
): Promise<boolean> {
  try {
    const { header, end } = await database.openSegment(segment, options)
    return states.get(header.from) === header.startState && states.get(end.to) === end.endState
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) return false
    throw error
  }
}
