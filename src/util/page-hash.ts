import xxhash from 'xxhash-wasm'

const { h64Raw } = await xxhash()

/** XXH64 of bytes. Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
export function hash64(bytes: Uint8Array, seed = 0n): bigint {
  return h64Raw(bytes, seed)
}

/** The hash of a page: XXH64 of its bytes, seeded with its number, so that equal bytes on two pages hash differently. */
export function pageHash(page: number, value: Uint8Array): bigint {
  return h64Raw(value, BigInt(page))
}
