import { endianness } from 'node:os'

/**
 * The checksum of write-ahead logs and their index: two 32-bit sums over pairs of words, in either byte order.
 * Source: https://sqlite.org/fileformat2.html#checksum_algorithm
 */
export interface LogChecksum {
  first: number
  second: number
}

export const hostIsBigEndian = endianness() === 'BE'

/** Adds the words `[from, to)`, already in the host's byte order, to `sum`. The number of words must be even. */
export function addWords(sum: LogChecksum, words: Int32Array, from: number, to: number): void {
  let first = sum.first
  let second = sum.second
  for (let index = from; index < to; index += 2) {
    first = (first + (words[index] ?? 0) + second) | 0
    second = (second + (words[index + 1] ?? 0) + first) | 0
  }
  sum.first = first
  sum.second = second
}

/** Adds bytes whose words are in the given order. Their number must be a multiple of eight. */
export function addBytes(sum: LogChecksum, bytes: Uint8Array, bigEndian: boolean): void {
  const copy = Buffer.from(Uint8Array.from(bytes).buffer)
  if (bigEndian !== hostIsBigEndian) copy.swap32()
  addWords(sum, new Int32Array(copy.buffer, copy.byteOffset, copy.length / 4), 0, copy.length / 4)
}

/** Whether `sum` is the one stored as two big-endian words at `offset`. */
export function matchesStored(sum: LogChecksum, bytes: Buffer, offset: number): boolean {
  return bytes.readInt32BE(offset) === sum.first && bytes.readInt32BE(offset + 4) === sum.second
}
