import { z } from 'zod'
import { toLsn } from '../history/lsn.ts'
import type { GapRecord } from '../history/windows.ts'

/** `gaps/<from>-<to>.json`: what the capture wrote down when it lost continuity between two states. */
export const gapDocument = z
  .strictObject({
    fromLsn: z.int().min(0),
    toLsn: z.int().min(1),
    fromTime: z.iso.datetime({ precision: 3 }),
    toTime: z.iso.datetime({ precision: 3 }),
    reason: z.string(),
  })
  .transform(
    ({ fromLsn, toLsn: to, fromTime, toTime, reason }): GapRecord => ({
      fromLsn: toLsn(fromLsn),
      toLsn: toLsn(to),
      fromTime: Date.parse(fromTime),
      toTime: Date.parse(toTime),
      reason,
    }),
  )

/** The document's body for a gap. */
export function gapBody(gap: GapRecord): z.input<typeof gapDocument> {
  return { ...gap, fromTime: new Date(gap.fromTime).toISOString(), toTime: new Date(gap.toTime).toISOString() }
}
