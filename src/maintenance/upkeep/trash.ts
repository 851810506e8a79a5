/**
 * Deletion in two steps. What nothing needs is first named in the retention record; it is deleted by a later run, when a time of grace
 * has passed and nothing needs it again. So a restore that planned with it has that long to end, and a mistake can be noticed.
 */
import { deletionOrder } from '../../history/deletion-order.ts'
import type { MaintenancePlan } from '../../history/retention.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { RetentionRecord } from '../../repository/retention-record.ts'

export const defaultGraceMs = 24 * 3_600_000

export type Trash = RetentionRecord['trash']

/** A segment that nothing needs. */
export interface Condemned {
  readonly segment: SegmentInfo
  /** When it was found that nothing needs it, in milliseconds since 1970. */
  readonly since: number
}

/**
 * The trash as it has to be now: what the plan has no use for, since it is known. What is needed again is in it no longer, and neither is what
 * is gone. What was put there while it could be reached is not taken out because it no longer can.
 */
export function nextTrash(
  former: Trash,
  { deletions, lost }: Pick<MaintenancePlan, 'deletions' | 'lost'>,
  now: number,
): Condemned[] {
  const sinceOf = ({ key }: SegmentInfo): number | undefined => {
    const entry = former[key]
    return entry && Math.min(Date.parse(entry.since), now)
  }
  const condemned = deletions.map((segment) => ({ segment, since: sinceOf(segment) ?? now }))
  const still = lost.flatMap((segment) => {
    const since = sinceOf(segment)
    return since === undefined ? [] : [{ segment, since }]
  })
  return [...condemned, ...still]
}

export function asTrash(condemned: readonly Condemned[]): Trash {
  return Object.fromEntries(
    condemned.map(({ segment: { key }, since }) => [key, { since: new Date(since).toISOString() }]),
  )
}

/** Those whose grace has passed, in the order in which they can be deleted. */
export function dueOf(
  segments: readonly SegmentInfo[],
  condemned: readonly Condemned[],
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): SegmentInfo[] {
  const due = condemned.filter(({ since }) => now - since >= graceMs)
  return deletionOrder(
    segments,
    due.map(({ segment }) => segment),
  )
}
