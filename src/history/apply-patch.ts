import type { Patch } from './record.ts'
import { xor } from './xor.ts'

/** The value that a patch makes of a former one, as new bytes. @throws RangeError if the lengths differ, or a source does not exist */
export function applyPatch(former: Uint8Array, patch: Patch): Uint8Array {
  return xor(patch.sources === undefined ? former : moved(former, patch.sources), patch.xor)
}

/**
 * What `older` and then `newer` do: `former[s1[s2[i]]] ^ x1[s2[i]] ^ x2[i]`. So the bytes to XOR are what the newer one makes of
 * the older one's, and the sources are the older one's, moved as the newer one moves bytes.
 * @throws RangeError if the lengths differ, or a source does not exist
 */
export function composePatches(older: Patch, newer: Patch): Patch {
  const composed = applyPatch(older.xor, newer)
  if (newer.sources === undefined || older.sources === undefined)
    return withSources(composed, newer.sources ?? older.sources)
  const { sources } = older
  return {
    xor: composed,
    sources: newer.sources.map((source) => sources[source] ?? 0),
  }
}

function withSources(bytes: Uint8Array, sources: Uint32Array | undefined): Patch {
  return sources === undefined ? { xor: bytes } : { xor: bytes, sources }
}

function moved(value: Uint8Array, sources: Uint32Array): Uint8Array {
  return Uint8Array.from(sources, (source) => {
    const byte = value[source]
    if (byte === undefined) throw new RangeError(`There is no byte ${source} in a value of ${value.length}.`)
    return byte
  })
}
