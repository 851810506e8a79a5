import { z } from 'zod'
import { scheduleInput, triggerInput } from '../../schedule/schedule-input.ts'
import { duration, place, whole } from './scalars.ts'

const { every, at, cron, timeZone } = triggerInput.shape
const where = 'path or URL: a mirror, or an empty place to begin one'

export const mirrorSchema = z.union([
  place(where),
  z.strictObject({
    to: place(where),
    every,
    at,
    cron,
    timeZone,
    jitter: scheduleInput.shape.jitter,
    grace: duration('what was deleted in the repository stays on the mirror for so long; default 7d', '30d').optional(),
    maxDelete: whole(
      'delete nothing of a database of which more backups than this would go; default: half of them, but at least 10',
    ).optional(),
  }),
])

export type MirrorInput = z.infer<typeof mirrorSchema>
