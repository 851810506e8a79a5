import { HoldfastError } from '../../errors.ts'
import { isVirtual, mergedSegment } from '../../history/merged-segment.ts'
import { planMaintenance, type StatesToKeep } from '../../history/plan-maintenance.ts'
import type { MaintenancePlan, Merge } from '../../history/retention.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { UnreachableError } from '../../history/unreachable-error.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import { mergeSegments } from '../compact/merge-segments.ts'
import { unreachable } from './refuse-damage.ts'
import type { MergedSegment, UpkeepOptions } from './upkeep-options.ts'

export interface CarriedOut {
  /** Everything that is there now. */
  readonly segments: readonly SegmentInfo[]
  readonly merged: readonly MergedSegment[]
  /** What is left to be done: nothing to merge any more. */
  readonly plan: MaintenancePlan
}

/** Every round makes what the next one builds on; each merges what it can, so few are needed. */
const mostRounds = 100

/**
 * Makes the merges that upkeep wants; deletes nothing.
 * @param merged to which they are added, also if it fails; default: none
 * @throws INTEGRITY, LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED
 */
export async function mergeAll(
  database: DatabaseRepository,
  lease: Lease,
  listed: readonly SegmentInfo[],
  keep: StatesToKeep,
  { limits, level, heldBytes, signal, onProgress }: UpkeepOptions,
  merged: MergedSegment[] = [],
): Promise<CarriedOut> {
  let segments = listed
  for (let round = 0; round < mostRounds; round += 1) {
    const plan = planFor(segments, keep, limits)
    if (plan.merges.length === 0) return { segments, merged, plan }
    const total = merged.length + plan.merges.length
    for (const merge of plan.merges.filter(isReady)) {
      lease.assertHeld()
      onProgress?.({ phase: 'merge', done: merged.length, total, unit: 'objects' })
      const made = await mergeSegments(database, merge, segments, { level, heldBytes, signal })
      segments = [...segments, made]
      merged.push({ ...told(merge), bytes: made.bytes })
    }
    onProgress?.({ phase: 'merge', done: merged.length, total, unit: 'objects' })
  }
  throw new HoldfastError('INTERNAL', `The merges of ${database.name} do not come to an end.`, {
    object: database.name,
    hint: 'Nothing was deleted. Please report this.',
  })
}

/** @throws INTEGRITY if a state that is to be kept cannot be reached */
export function planFor(
  segments: readonly SegmentInfo[],
  keep: StatesToKeep,
  limits: UpkeepOptions['limits'],
): MaintenancePlan {
  try {
    return planMaintenance(segments, keep, limits)
  } catch (error) {
    throw error instanceof UnreachableError ? unreachable(error) : error
  }
}

/** As a dry run tells it. */
export function planned(merge: Merge): MergedSegment {
  return { ...told(merge), bytes: mergedSegment(merge).bytes }
}

function told({ kind, from, to, steps }: Merge): Omit<MergedSegment, 'bytes'> {
  return { kind, from, to, segments: steps.length }
}

function isReady({ steps }: Merge): boolean {
  return !steps.some(({ segment }) => isVirtual(segment))
}
