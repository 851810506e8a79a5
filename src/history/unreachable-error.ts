import type { Lsn } from './lsn.ts'
import { knownPoints, type RestorePoint } from './reachable.ts'
import type { SegmentInfo } from './segment-info.ts'

/** No chain of segments leads to the wanted LSN. Names the nearest restorable states of known time on both sides. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  readonly target: Lsn
  readonly nearestBefore: RestorePoint | undefined
  readonly nearestAfter: RestorePoint | undefined

  constructor(target: Lsn, segments: readonly SegmentInfo[]) {
    const points = knownPoints(segments)
    const nearestBefore = points.findLast(({ lsn }) => lsn < target)
    const nearestAfter = points.find(({ lsn }) => lsn > target)
    const nearest = [nearestBefore, nearestAfter].flatMap((point) => point?.lsn ?? [])
    super(
      `LSN ${target} cannot be reached. ${nearest.length === 0 ? 'Nothing can.' : `The nearest that can: ${nearest.join(' and ')}.`}`,
    )
    this.target = target
    this.nearestBefore = nearestBefore
    this.nearestAfter = nearestAfter
  }
}
