import { op, type RecordBatch } from './segment.ts'

/** Whole pages, densely; what a source yields. */
export interface FullPages {
  readonly pages: Uint32Array
  readonly values: Uint8Array
  readonly hashes: BigUint64Array
}

/** The pages as FULL records; shares their memory. */
export function fullBatch(pages: FullPages, pageSize: number): RecordBatch {
  const count = pages.pages.length
  return {
    pages: pages.pages,
    ops: new Uint8Array(count).fill(op.full),
    lengths: new Uint32Array(count).fill(pageSize),
    values: pages.values,
    hashes: pages.hashes,
  }
}
