import { encodePatch } from '../segment/encode-patch.ts'
import { op } from '../segment/segment.ts'
import type { ChangedPages } from '../source/follower.ts'
import type { GatheredRecords } from './gathered-records.ts'

/**
 * Adds the changed pages as records: a patch where that is smaller than the page. A page that did not exist before the commit is
 * always whole: that is how a reader knows that the database was shorter in between.
 */
export function addPatched(
  records: GatheredRecords,
  changed: ChangedPages,
  pageSize: number,
  formerPageCount: number,
): void {
  const { pages, hashes, values, former, hasFormer } = changed
  for (let at = 0; at < pages.length; at += 1) {
    const page = pages[at] ?? 0
    const start = at * pageSize
    const value = values.subarray(start, start + pageSize)
    const existed = hasFormer[at] === 1 && page <= formerPageCount
    const patch = existed ? encodePatch(former.subarray(start, start + pageSize), value) : undefined
    records.add(page, hashes[at] ?? 0n, patch === undefined ? op.full : op.patch, patch ?? value)
  }
}
