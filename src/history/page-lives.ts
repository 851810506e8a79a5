/**
 * Which steps of a chain still count for a page: `pageLives(counts)(page)` is the index of the first step after the last one
 * that cut the page off (0 if none did, `counts.length` if the page does not exist at the end). Records of earlier steps are
 * void; if the index is not 0, the page's first record from there on must be FULL.
 *
 * So a restore knows from page counts alone which records it need not fetch.
 * @param pageCounts pages of the database at the end of each step, in order
 */
export function pageLives(pageCounts: readonly number[]): (page: number) => number {
  // The last step with fewer pages than `page` is also the last whose smallest count from there on is smaller; these ascend.
  const smallestFrom = Float64Array.from(pageCounts)
  for (let i = smallestFrom.length - 2; i >= 0; i--)
    smallestFrom[i] = Math.min(smallestFrom[i] ?? 0, smallestFrom[i + 1] ?? 0)
  return (page) => {
    let low = 0
    let high = smallestFrom.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((smallestFrom[middle] ?? 0) < page) low = middle + 1
      else high = middle
    }
    return low
  }
}
