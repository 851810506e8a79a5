/**
 * Replaces `target` with `target` XOR `patch`, in place. Both have the same length.
 * Works by 32-bit words where both views are aligned alike, which is several times faster than by bytes.
 * @throws RangeError if the lengths differ
 */
export function xorInto(target: Uint8Array, patch: Uint8Array): void {
  const length = target.length
  if (patch.length !== length) throw new RangeError(`Cannot XOR ${length} bytes with ${patch.length}.`)
  const alignedAlike = (target.byteOffset & 3) === (patch.byteOffset & 3)
  const wordsFrom = alignedAlike ? Math.min(length, -target.byteOffset & 3) : length
  const words = (length - wordsFrom) >>> 2
  xorBytes(target, patch, 0, wordsFrom)
  if (words > 0) {
    const to = new Int32Array(target.buffer, target.byteOffset + wordsFrom, words)
    const from = new Int32Array(patch.buffer, patch.byteOffset + wordsFrom, words)
    for (let i = 0; i < words; i++) to[i] = (to[i] ?? 0) ^ (from[i] ?? 0)
  }
  xorBytes(target, patch, wordsFrom + words * 4, length)
}

/** `a` XOR `b` as new bytes. @throws RangeError if the lengths differ */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length)
  result.set(a)
  xorInto(result, b)
  return result
}

function xorBytes(target: Uint8Array, patch: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) target[i] = (target[i] ?? 0) ^ (patch[i] ?? 0)
}
