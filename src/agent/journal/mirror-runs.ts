import type { RecordedOperation } from './recorded-operation.ts'

/**
 * When all of the repository was last known to be at each place, as far as the history of this machine knows, in milliseconds since 1970.
 * @param runs operations of the kind `mirror`, oldest first
 */
export function lastComplete(
  runs: readonly Pick<RecordedOperation, 'type' | 'figures'>[],
): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  for (const { type: place, figures } of runs) {
    // One that ended in an error tells nothing.
    if (place === undefined || figures?.['copied'] === undefined) continue
    const completeAt = figures['completeAt']
    if (completeAt === undefined) places.delete(place)
    else places.set(place, completeAt)
  }
  return places
}
