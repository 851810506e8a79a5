import { encodePatch } from '../segment/patch.ts'
import { op, type RecordBatch } from '../segment/segment.ts'
import type { ChangedPages } from '../source/follower.ts'

/**
 * The changed pages as records: a patch where that is smaller than the page. A page that did not exist before the commit is
 * always whole: that is how a reader knows that the database was shorter in between. The result shares no memory with its input.
 */
export function patchedRecords(changed: ChangedPages, pageSize: number, formerPageCount: number): RecordBatch {
  const count = changed.pages.length
  const ops = new Uint8Array(count)
  const lengths = new Uint32Array(count)
  const values: Uint8Array[] = []
  for (let at = 0; at < count; at += 1) {
    const start = at * pageSize
    const value = changed.values.subarray(start, start + pageSize)
    const existed = changed.hasFormer[at] === 1 && (changed.pages[at] ?? 0) <= formerPageCount
    const patch = existed ? encodePatch(changed.former.subarray(start, start + pageSize), value) : undefined
    ops[at] = patch === undefined ? op.full : op.patch
    const record = patch ?? value
    lengths[at] = record.length
    values.push(record)
  }
  return {
    pages: changed.pages.slice(),
    ops,
    lengths,
    values: Buffer.concat(values),
    hashes: changed.hashes.slice(),
  }
}
