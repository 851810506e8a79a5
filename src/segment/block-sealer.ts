/**
 * The cipher's place. A block is sealed after compression and opened before decompression; `slot` is its number in the
 * segment, which a cipher uses as nonce so that no block can stand in for another. The root's slot is the number of blocks.
 */
export interface BlockSealer {
  /** Bytes that sealing adds. */
  readonly overhead: number
  seal(slot: number, bytes: Uint8Array): Uint8Array
  /** @throws WRONG_KEY or INTEGRITY if the bytes are not what was sealed for this slot */
  open(slot: number, bytes: Uint8Array): Uint8Array
}

/** Cipher `none`. */
export const identitySealer: BlockSealer = {
  overhead: 0,
  seal: (_slot, bytes) => bytes,
  open: (_slot, bytes) => bytes,
}
