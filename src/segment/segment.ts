/**
 * What a segment file says of itself. `docs/format.md` is normative; the types here follow it.
 */
import type { Lsn } from '../history/lsn.ts'
import type { SegmentKind } from '../history/segment-info.ts'
import type { StateChecksum } from '../history/state-checksum.ts'

export type Codec = 'none' | 'gzip' | 'zstd'
export type SourceKind = 'sqlite'

/** Known before the first record is written; the first bytes of the file. */
export interface SegmentHeader {
  readonly sourceKind: SourceKind
  readonly kind: SegmentKind
  /** Bytes a page: a power of two from 512 to 65536. */
  readonly pageSize: number
  /** Exclusive start of the interval; 0 for a base. */
  readonly from: Lsn
  readonly epoch: number
  /** Milliseconds since 1970. */
  readonly firstTime: number
  /** State at `from`; 0 for a base. */
  readonly startState: StateChecksum
  readonly codec: Codec
  readonly cipher: 'none'
  /** 16 random bytes, for the cipher's key derivation. */
  readonly salt: Uint8Array
}

/** Known after the last record; part of the root index at the end of the file. */
export interface SegmentEnd {
  /** Inclusive end of the interval. */
  readonly to: Lsn
  readonly lastTime: number
  /** State at `to`. */
  readonly endState: StateChecksum
  /** Pages of the database at `to`. Pages beyond it do not exist. */
  readonly pageCount: number
}

/** One commit of a log. Its records are the next `records` ones of the segment. */
export interface CommitEntry {
  readonly lsn: Lsn
  /** Milliseconds since 1970; never before the previous commit's. */
  readonly time: number
  readonly records: number
  /** Pages of the database after the commit. */
  readonly pageCount: number
  /** State after the commit. */
  readonly state: StateChecksum
}

/** What was written, for manifests and statistics. */
export interface SegmentTotals {
  readonly blocks: number
  readonly records: number
  /** Bytes of record values before compression. */
  readonly rawBytes: number
  /** Some records are patches, so that the segment says nothing without the state that it starts from. */
  readonly hasPatches: boolean
  /** Some patches take bytes from other places of the page. */
  readonly hasMoves: boolean
  /** Bytes of the whole object. */
  readonly storedBytes: number
}

/** What a record does to its page. */
export const op = {
  /** The value is the page after the change. */
  full: 0,
  /** The value is how the page comes from its former content: bytes of that, moved and XORed. */
  patch: 1,
} as const
export type Op = (typeof op)[keyof typeof op]

/**
 * Records, densely. `values` holds the record values one after the other; record `i` has `lengths[i]` bytes. A FULL record
 * is `pageSize` bytes; a PATCH is encoded sparsely (docs/format.md, "Patch").
 * The writer is done with a batch's memory when it asks for the next one.
 * In a base or delta, pages ascend over the whole segment. In a log, records stand in order of their commits.
 */
export interface RecordBatch {
  readonly pages: Uint32Array
  readonly ops: Uint8Array
  readonly lengths: Uint32Array
  readonly values: Uint8Array
  /** Hash of the page after the change. */
  readonly hashes: BigUint64Array
}
