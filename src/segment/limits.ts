/** Bounds of the segment format. A reader checks each before it takes memory; docs/format.md states them. */

export const formatVersion = 1
export const rootVersion = 1

export const headerLength = 128
export const trailerLength = 48
export const rootHeadLength = 184
export const blockEntryLength = 32

/** A writer closes a records block before its values would pass this. Only a patch that is larger by itself may, alone in its block. */
export const maxBlockValues = 262_144
/** Records in one records block. */
export const maxBlockRecords = 65_536
/** Entries in one page table block. */
export const maxPageTableEntries = 16_384
/** Commits in one commit table block. */
export const maxCommitTableEntries = 4_096
/** Any block's payload before compression. */
export const maxBlockRaw = 1_048_576
/** The root before compression: enough for 33 million blocks. */
export const maxRootRaw = 0x4000_0000
/** Bytes that a sealer may add to a block. */
export const maxSealOverhead = 64

export const minPageSize = 512
export const maxPageSize = 65_536
/** SQLite's largest page number. */
export const maxPage = 4_294_967_294

/**
 * At worst, every byte of a page is a stretch of its own. Its shift takes a skip of one byte, a zero and three bytes of shift; its
 * run a skip and a length of one byte each, and the byte. Longer skips and lengths stand for more bytes than they take.
 */
export function maxPatchLength(pageSize: number): number {
  return 8 * pageSize
}

/** How much of an object's end is read first; it holds the whole root of most segments. */
export const tailRead = 65_536
/** Neighbouring blocks are fetched together up to this many bytes. */
export const maxRangeRead = 4_194_304
