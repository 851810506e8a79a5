import { fullBatch } from '../segment/full-batch.ts'
import type { RecordBatch } from '../segment/segment.ts'
import type { PageBatch } from '../source/page-batch.ts'
import { lockPage } from '../util/lock-page.ts'
import type { PageHashTable } from './page-hash-table.ts'

/** The pages of a batch that are not as the table says, copied; undefined if there are none. */
export function differingPages(batch: PageBatch, table: PageHashTable, pageSize: number): RecordBatch | undefined {
  const lock = lockPage(pageSize)
  const kept: number[] = []
  batch.pages.forEach((page, at) => {
    if (page !== lock && table.get(page) !== batch.hashes[at]) kept.push(at)
  })
  if (kept.length === 0) return undefined
  const values = new Uint8Array(kept.length * pageSize)
  for (const [to, from] of kept.entries())
    values.set(batch.values.subarray(from * pageSize, (from + 1) * pageSize), to * pageSize)
  const pages = Uint32Array.from(kept, (at) => batch.pages[at] ?? 0)
  const hashes = BigUint64Array.from(kept, (at) => batch.hashes[at] ?? 0n)
  return fullBatch({ pages, hashes, values }, pageSize)
}
