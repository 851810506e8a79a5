/**
 * Merging pages. A page beyond the page count ceases to exist, and when it comes back it is written FULL. An interval is known by
 * its end page count alone: that it was shorter in between is told only by the FULL records of all pages that came back.
 * So (1) every step that grows the database holds a FULL record for each new page, and (2) a merge forgets what older steps said
 * of a page that a later step cut off. Both are kept here.
 */
import { compose } from './compose.ts'
import { IllegalCompositionError } from './illegal-composition-error.ts'
import type { HistoryRecord } from './record.ts'

/** What a commit, or a whole interval, does to the pages of a database. */
export interface PageStep {
  /** Pages of the database at the end of the step; those beyond do not exist, whatever `records` holds for them. */
  readonly pageCount: number
  readonly records: ReadonlyMap<number, HistoryRecord>
}

export interface FoldOptions {
  /** Pages before the first step: 0 for a run from LSN 0. Undefined: not known, so the first step's growth is not checked. */
  readonly startPageCount?: number | undefined
  /** The page that is never stored: it may be missing where the database grows over it. */
  readonly lockPage?: number | undefined
}

/**
 * Merges a run of neighbouring steps, oldest first, into the one step of their whole interval.
 * The result holds only pages within its page count. An empty run is refused: it has no page count.
 * @throws IllegalCompositionError, RangeError
 */
export function foldPages(steps: Iterable<PageStep>, options: FoldOptions = {}): PageStep {
  const { lockPage } = options
  const merged = new Map<number, HistoryRecord>()
  let before = options.startPageCount
  let highest = 0
  let isEmpty = true
  for (const { pageCount, records } of steps) {
    isEmpty = false
    if (pageCount < highest) {
      cutOff(merged, pageCount, highest)
      highest = pageCount
    }
    let newPages = 0
    for (const [page, record] of records) {
      if (page > pageCount) continue
      if (record.op === 'drop')
        throw new IllegalCompositionError('drop-of-page', `Page ${page} is dropped by a record.`, page)
      const isNew = before !== undefined && page > before
      if (isNew && page !== lockPage) newPages++
      const older = merged.get(page)
      merged.set(page, isNew || older !== undefined ? compose(older, record, page) : record)
      highest = Math.max(highest, page)
    }
    if (before !== undefined) requireGrowth(before, pageCount, newPages, lockPage)
    before = pageCount
  }
  if (isEmpty || before === undefined) throw new RangeError('There is nothing to fold.')
  return { pageCount: before, records: merged }
}

/** Forgets the pages from `pageCount + 1` to `highest`, by whichever way is shorter: a log may shrink and grow at every commit. */
function cutOff(merged: Map<number, HistoryRecord>, pageCount: number, highest: number): void {
  if (highest - pageCount < merged.size) {
    for (let page = pageCount + 1; page <= highest; page++) merged.delete(page)
  } else {
    for (const page of merged.keys()) if (page > pageCount) merged.delete(page)
  }
}

function requireGrowth(before: number, after: number, grown: number, lockPage: number | undefined): void {
  if (after <= before) return
  const overLockPage = lockPage !== undefined && lockPage > before && lockPage <= after ? 1 : 0
  const missing = after - before - overLockPage - grown
  if (missing === 0) return
  const message = `The database grew from ${before} to ${after} pages, and ${missing} of the new pages have no record.`
  throw new IllegalCompositionError('missing-page', message)
}
