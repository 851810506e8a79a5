/**
 * Whole pages, densely: page `pages[i]` is `values.subarray(i * pageSize, (i + 1) * pageSize)` and hashes to `hashes[i]`
 * (see `util/page-hash.ts`). Ascending within a batch and from batch to batch. The memory of `values` may be used again for a
 * later batch: it is the consumer's until it asks for the next one.
 */
export interface PageBatch {
  readonly pages: Uint32Array
  readonly values: Uint8Array
  readonly hashes: BigUint64Array
}
