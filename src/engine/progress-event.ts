import { z } from 'zod'
import type { OnProgress, Progress } from '../util/progress.ts'

export const progressEvent: z.ZodType<Progress> = z.strictObject({
  phase: z.string(),
  done: z.number(),
  total: z.number().or(z.undefined()),
  unit: z.enum(['bytes', 'pages', 'objects']),
})

const everyMs = 100

/**
 * Lets through what a reader can follow: at most ten reports a second within a phase, but always its first and its last.
 * @param now milliseconds of a clock that never goes back
 */
export function throttleProgress(onProgress: OnProgress, now: () => number = () => performance.now()): OnProgress {
  let phase: string | undefined
  let nextAt = 0
  return (progress) => {
    const time = now()
    const isLast = progress.total !== undefined && progress.done >= progress.total
    if (progress.phase === phase && time < nextAt && !isLast) return
    phase = progress.phase
    nextAt = time + everyMs
    onProgress(progress)
  }
}
