import { resolveRange } from '../range.ts'
import type { BackupStorage, GetOptions } from '../storage.ts'
import type { ReadDamage } from './fault-plan.ts'

/** Reads a range of an object as it would be if the object were damaged so. */
export async function* damaged(
  storage: BackupStorage,
  key: string,
  options: GetOptions,
  damage: readonly ReadDamage[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const info = damage.length === 0 ? undefined : await storage.head(key, options)
  if (info === undefined) {
    yield* storage.get(key, options)
    return
  }
  const size = Math.min(info.size, ...damage.map((one) => one.cutAt ?? info.size))
  const { start, end } = resolveRange(size, options)
  if (start >= end) return
  let position = start
  for await (const chunk of storage.get(key, { signal: options.signal, offset: start, length: end - start })) {
    for (const { flipAt = -1 } of damage) {
      const byte = chunk[flipAt - position]
      if (byte !== undefined) chunk[flipAt - position] = byte ^ 1
    }
    position += chunk.length
    yield chunk
  }
}
