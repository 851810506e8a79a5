import { malformed } from './damage.ts'
import { maxBlockRecords, maxPage, maxPatchLength } from './limits.ts'
import { checkPatch } from './patch.ts'
import { op, type SegmentTotals } from './segment.ts'
import { ByteReader, type ByteWriter, unzigzag, zigzag } from './varint.ts'

/** Records of one block, without their hashes, which stand in the page table. The consumer may keep it, until it releases it. */
export interface DecodedBlock {
  readonly slot: number
  readonly pages: Uint32Array
  readonly ops: Uint8Array
  readonly lengths: Uint32Array
  readonly values: Uint8Array
  /** Lets the memory of `values` be used for a later block. Who does not call it leaves that to the garbage collector. */
  readonly release?: (() => void) | undefined
}

/** Adds one record to a block's directory; `previousPage` is 0 for its first. */
export function putRecord(
  directory: ByteWriter,
  previousPage: number,
  page: number,
  operation: number,
  length: number,
): void {
  directory.varint(zigzag(page - previousPage - 1) * 2 + operation)
  if (operation === op.patch) directory.varint(length)
}

/**
 * Every record is checked, patches too, so that applying them cannot fail later.
 * @param stated what the root says of the segment's patches
 * @throws INTEGRITY (without an object)
 */
export function decodeRecords(
  slot: number,
  payload: Uint8Array,
  count: number,
  pageSize: number,
  stated: Pick<SegmentTotals, 'hasPatches' | 'hasMoves'>,
): DecodedBlock {
  const reader = new ByteReader(payload)
  const held = reader.varint()
  if (held !== count || count > maxBlockRecords) throw malformed(`it holds ${held} records instead of ${count}`)
  const pages = new Uint32Array(count)
  const ops = new Uint8Array(count)
  const lengths = new Uint32Array(count)
  let previous = 0
  let total = 0
  for (let at = 0; at < count; at++) {
    const code = reader.varint()
    const operation = code % 2
    const page = previous + 1 + unzigzag((code - operation) / 2)
    if (page < 1 || page > maxPage) throw malformed(`page ${page} is impossible`)
    if (operation === op.patch && !stated.hasPatches)
      throw malformed(`page ${page} has a patch, and the index knows of none`)
    const length = operation === op.patch ? reader.varint() : pageSize
    if (length > maxPatchLength(pageSize)) throw malformed(`page ${page} has a patch of ${length} bytes`)
    pages[at] = page
    ops[at] = operation
    lengths[at] = length
    previous = page
    total += length
  }
  if (reader.remaining !== total) throw malformed(`its records have ${reader.remaining} bytes instead of ${total}`)
  const block = { slot, pages, ops, lengths, values: reader.bytes(total) }
  checkPatches(block, pageSize, stated.hasMoves)
  return block
}

function checkPatches(block: DecodedBlock, pageSize: number, moves: boolean): void {
  let offset = 0
  block.lengths.forEach((length, at) => {
    if (block.ops[at] === op.patch) {
      const patch = block.values.subarray(offset, offset + length)
      if (checkPatch(patch, pageSize) && !moves)
        throw malformed(`page ${block.pages[at]} has a patch that moves bytes, and the index knows of none`)
    }
    offset += length
  })
}
