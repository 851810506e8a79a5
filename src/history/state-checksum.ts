/**
 * The state checksum is the sum modulo 2^64 of the page hashes of every page but the lock page. It proves continuity by
 * content: segment B follows segment A only if B starts at the state where A ends.
 */
export type StateChecksum = bigint

export const emptyState: StateChecksum = 0n

export function addHash(state: StateChecksum, hash: bigint): StateChecksum {
  return BigInt.asUintN(64, state + hash)
}

export function removeHash(state: StateChecksum, hash: bigint): StateChecksum {
  return BigInt.asUintN(64, state - hash)
}

/** Sixteen hexadecimal digits, as in manifests and messages. */
export function formatState(state: StateChecksum): string {
  return state.toString(16).padStart(16, '0')
}
