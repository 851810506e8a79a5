import { addHash, emptyState, type StateChecksum } from '../history/state-checksum.ts'
import type { PageHashes } from '../repository/page-hashes.ts'
import type { PageBatch } from '../source/page-batch.ts'

/** Sums the state of all pages that pass, and tells how many bytes did. */
export class PageCounter {
  state: StateChecksum = emptyState
  bytes = 0

  async *count(batches: AsyncIterable<PageBatch>, onBytes: (bytes: number) => void): AsyncGenerator<PageBatch> {
    for await (const batch of batches) {
      for (const hash of batch.hashes) this.state = addHash(this.state, hash)
      this.bytes += batch.values.length
      onBytes(this.bytes)
      yield batch
    }
  }
}

/** Lets pass the pages whose hash is not the parent's, gathered into batches of about the same size as they came in. */
export async function* changedPages(batches: AsyncIterable<PageBatch>, parent: PageHashes): AsyncGenerator<PageBatch> {
  let pending: PageBatch[] = []
  let pendingBytes = 0
  for await (const batch of batches) {
    const changed = changedOf(batch, parent)
    if (changed.pages.length === 0) continue
    pending.push(changed)
    pendingBytes += changed.values.length
    if (pendingBytes >= batch.values.length) {
      yield joined(pending)
      pending = []
      pendingBytes = 0
    }
  }
  if (pending.length > 0) yield joined(pending)
}

function changedOf(batch: PageBatch, parent: PageHashes): PageBatch {
  const wanted: number[] = []
  for (let i = 0; i < batch.pages.length; i += 1) {
    const page = batch.pages[i] ?? 0
    if (parent.hashes[page - 1] !== batch.hashes[i]) wanted.push(i)
  }
  if (wanted.length === batch.pages.length) return batch
  const pageSize = batch.values.length / batch.pages.length
  const values = new Uint8Array(wanted.length * pageSize)
  for (const [to, from] of wanted.entries())
    values.set(batch.values.subarray(from * pageSize, (from + 1) * pageSize), to * pageSize)
  return {
    pages: Uint32Array.from(wanted, (i) => batch.pages[i] ?? 0),
    hashes: BigUint64Array.from(wanted, (i) => batch.hashes[i] ?? 0n),
    values,
  }
}

function joined(batches: readonly PageBatch[]): PageBatch {
  const [only, second] = batches
  if (only !== undefined && second === undefined) return only
  const count = batches.reduce((sum, { pages }) => sum + pages.length, 0)
  const pages = new Uint32Array(count)
  const hashes = new BigUint64Array(count)
  const values = new Uint8Array(batches.reduce((sum, batch) => sum + batch.values.length, 0))
  let index = 0
  let offset = 0
  for (const batch of batches) {
    pages.set(batch.pages, index)
    hashes.set(batch.hashes, index)
    values.set(batch.values, offset)
    index += batch.pages.length
    offset += batch.values.length
  }
  return { pages, hashes, values }
}
