import { z } from 'zod'
import type { Unsent } from '../../capture/capture-events.ts'

const count = z.int().min(0)

/** What waits in the state folder when following stops. */
export const unsent = z.strictObject({
  segments: count,
  bytes: count,
  gaveUpAfter: count
    .nullable()
    .describe('nothing after this LSN was kept, since the spool could not take it; null if all was'),
})

export function unsentJson({ segments, bytes, gaveUpAfter }: Unsent): z.infer<typeof unsent> {
  return { segments, bytes, gaveUpAfter: gaveUpAfter ?? null }
}
