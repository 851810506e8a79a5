/**
 * Maps with up to `concurrency` calls under way, and yields the results in the order of the input. Holds at most
 * `concurrency` inputs and results. Ending the iteration early waits for the calls under way and closes the input.
 */
export async function* orderedMap<In, Out>(
  input: AsyncIterable<In> | Iterable<In>,
  concurrency: number,
  map: (item: In, index: number) => Promise<Out>,
): AsyncGenerator<Out, void, undefined> {
  const pending: Promise<Out>[] = []
  let index = 0
  try {
    for await (const item of input) {
      const result = map(item, index++)
      // A failure is met when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined)
      pending.push(result)
      const head = pending.length >= concurrency ? pending.shift() : undefined
      if (head !== undefined) yield await head
    }
    for (let head = pending.shift(); head !== undefined; head = pending.shift()) yield await head
  } finally {
    await Promise.allSettled(pending)
  }
}
