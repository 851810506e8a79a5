import type { BackupQueue } from '../../backup/backup-queue.ts'

/** Waits for a place in a queue; resolves with what gives it back, which may be called more than once. @throws ABORTED */
export function placeInQueue(queue: BackupQueue, key: string, signal: AbortSignal): Promise<() => void> {
  const place = Promise.withResolvers<() => void>()
  const held = Promise.withResolvers<void>()
  const work = (): Promise<void> => {
    place.resolve(held.resolve)
    return held.promise
  }
  queue.run(key, work, signal).catch(place.reject)
  return place.promise
}
