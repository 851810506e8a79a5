import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError } from '../errors.ts'
import type { PutBody } from './storage.ts'

export function aborted(signal: AbortSignal): HoldfastError {
  return new HoldfastError('ABORTED', 'The operation was cancelled.', { cause: signal.reason })
}

/** @throws ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

/** @throws ABORTED, at once when the signal fires. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (thrown) {
    throwIfAborted(signal)
    throw thrown
  }
}

/**
 * The chunks of a body, in order. An abort ends the wait for a producer that hangs; such a producer is told to stop, but
 * not waited for.
 * @throws ABORTED, and whatever the producer throws, unchanged
 */
export async function* chunksOf(body: PutBody, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal)
  if (body instanceof Uint8Array) {
    yield body
    return
  }
  if (signal === undefined) {
    yield* body
    return
  }
  const iterator = body[Symbol.asyncIterator]()
  // A promise of its own for every wait: one that lived as long as the stream, raced against each chunk, would keep them all.
  let cancel: (reason: HoldfastError) => void = ignore
  const onAbort = () => cancel(aborted(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  let finished = false
  try {
    for (;;) {
      throwIfAborted(signal)
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        cancel = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done === true) {
        finished = true
        return
      }
      yield next.value
    }
  } catch (thrown) {
    finished = !signal.aborted
    throw thrown
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (!finished) await stop(iterator, signal)
  }
}

async function stop(iterator: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.resolve(iterator.return?.())
  // A generator that is stuck in an await answers `return` only after it: on abort nobody waits for that.
  if (signal.aborted) stopped.catch(ignore)
  else await stopped
}

function ignore(): void {}
