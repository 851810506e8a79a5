import { HoldfastError, toHoldfastError } from '../../errors.ts'
import type { Session } from '../session.ts'
import { coarsen } from './coarsen.ts'

/** Merging must win this much room, or it would have to be done again at once. */
const enough = 0.75

export const spoolLimitReached = (): HoldfastError =>
  new HoldfastError('DISK_FULL', 'The spool has reached its limit.', {
    hint: 'The repository has been out of reach for long. Bring it back, or raise the limit of the spool.',
  })

/**
 * Whether so much waits that something must be done. What is being uploaded does not count while uploads succeed: one commit can be larger
 * than the limit, and will have gone before long.
 */
export function isSpoolOverLimit({ spool, uploader, settings }: Session): boolean {
  if (spool.bytes <= settings.spoolLimitBytes || uploader.isFailing) return spool.bytes > settings.spoolLimitBytes
  const waiting = spool.items.filter((item) => !uploader.wasAttempted(item))
  return waiting.length >= 2 && waiting.reduce((sum, { info }) => sum + info.bytes, 0) > settings.spoolLimitBytes
}

/**
 * Merges what waits in the spool, except for what the repository may hold already, and tells whether that was enough. A failure
 * to merge is said, and counts as not enough.
 */
export async function relieveSpool({ spool, uploader, place, settings }: Session): Promise<boolean> {
  const { spoolLimitBytes: limitBytes, onEvent, codec } = settings
  const run = spool.items.filter((item) => !uploader.wasAttempted(item))
  if (run.length >= 2) {
    spool.reserve(run)
    try {
      const merged = await coarsen(run, place, codec)
      await spool.replace(run, merged)
      onEvent({ kind: 'spool-full', action: 'merged', bytes: spool.bytes, limitBytes })
      if (merged.gap !== undefined) onEvent({ kind: 'gap', ...merged.gap })
      const why = uploader.isFailing ? 'has been out of reach for long' : 'takes less than is committed'
      const message = `The repository ${why}: commits from LSN ${merged.info.from} to ${merged.info.to} were merged, and cannot be restored one by one.`
      onEvent({ kind: 'warning', message })
    } catch (thrown) {
      const { message, hint } = toHoldfastError(thrown, spool.folder)
      onEvent({ kind: 'warning', message: `The spool could not be merged: ${message}`, hint })
    } finally {
      spool.release()
      uploader.wake()
    }
  }
  // As long as uploads succeed, there will be room again.
  return !uploader.isFailing || spool.bytes <= limitBytes * enough
}
