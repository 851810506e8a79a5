import { setTimeout as delay } from 'node:timers/promises'

/** Waits for something to end, however it does, but no longer than so many milliseconds. @returns whether it has ended */
export async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController()
  const ended = work.then(
    () => timer.abort(),
    () => timer.abort(),
  )
  const timeUp = delay(milliseconds, undefined, { signal: timer.signal }).catch((thrown: unknown) => {
    if (!timer.signal.aborted) throw thrown
  })
  await Promise.race([ended, timeUp])
  return timer.signal.aborted
}
