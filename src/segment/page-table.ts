import { blockType, type RawBlock } from './block-type.ts'
import { malformed } from './damage.ts'
import { maxPage, maxPageTableEntries } from './limits.ts'
import { bytesOfUint64s, uint64sOfBytes } from './uint64.ts'
import { ByteReader, ByteWriter } from './varint.ts'

/** The distinct pages that a segment sets, ascending, each with its hash at the segment's end. */
export interface PageTablePart {
  readonly pages: Uint32Array
  readonly hashes: BigUint64Array
}

export function* encodePageTable({ pages, hashes }: PageTablePart): Generator<RawBlock> {
  for (let start = 0; start < pages.length; start += maxPageTableEntries) {
    const part = pages.subarray(start, start + maxPageTableEntries)
    const writer = new ByteWriter(part.length * 9 + 16)
    writer.varint(part.length)
    let previous = 0
    for (const page of part) {
      writer.varint(page - previous - 1)
      previous = page
    }
    writer.bytes(bytesOfUint64s(hashes.subarray(start, start + maxPageTableEntries)))
    yield { type: blockType.pageTable, count: part.length, firstKey: part[0] ?? 0, payload: writer.view() }
  }
}

/** @throws INTEGRITY (without an object) */
export function decodePageTable(payload: Uint8Array, count: number): PageTablePart {
  const reader = new ByteReader(payload)
  const stated = reader.varint()
  if (stated !== count || count > maxPageTableEntries) throw malformed(`it lists ${stated} pages instead of ${count}`)
  const pages = new Uint32Array(count)
  let previous = 0
  for (let at = 0; at < count; at++) {
    previous += reader.varint() + 1
    if (previous > maxPage) throw malformed(`page ${previous} is impossible`)
    pages[at] = previous
  }
  if (reader.remaining !== count * 8)
    throw malformed(`it has ${reader.remaining} bytes of hashes instead of ${count * 8}`)
  return { pages, hashes: uint64sOfBytes(reader.bytes(count * 8)) }
}
