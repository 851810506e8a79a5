import { z } from 'zod'
import { toLsn } from '../history/lsn.ts'
import type { Pause } from '../history/pause.ts'

/** `untimed/<from>-<to>.json`: the capture wrote it down when it took commits that had been made while nobody looked. */
export const pauseDocument = z
  .strictObject({
    fromLsn: z.int().min(1),
    toLsn: z.int().min(2),
    fromTime: z.iso.datetime({ precision: 3 }),
    toTime: z.iso.datetime({ precision: 3 }),
  })
  .transform(
    ({ fromLsn, toLsn: to, fromTime, toTime }): Pause => ({
      fromLsn: toLsn(fromLsn),
      toLsn: toLsn(to),
      fromTime: Date.parse(fromTime),
      toTime: Date.parse(toTime),
    }),
  )

/** The document's body for a pause. */
export function pauseBody(pause: Pause): z.input<typeof pauseDocument> {
  return { ...pause, fromTime: new Date(pause.fromTime).toISOString(), toTime: new Date(pause.toTime).toISOString() }
}
