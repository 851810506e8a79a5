import { maxPageSize } from './limits.ts'
import { PageScratch } from './page-scratch.ts'

/** Two versions of a page side by side, and the words in which they differ. Used again for every page. */
export class PageDifference {
  readonly former = new PageScratch()
  readonly later = new PageScratch()
  /** The one XOR the other where they differ; anything elsewhere. */
  readonly xor = new PageScratch()
  /** Words that differ: pairs of the index of the first and the index after the last, ascending. */
  readonly runs = new Uint16Array(maxPageSize / 4 + 2)
  /** Entries of `runs`. */
  count = 0
  pageSize = 0

  /** Copies both. */
  take(former: Uint8Array, later: Uint8Array): void {
    this.pageSize = later.length
    this.former.bytes.set(former)
    this.later.bytes.set(later)
    this.#findRuns(this.pageSize / 4)
  }

  /** Makes `xor` what the later bytes from `start` to `end` are against the former ones at a shift. */
  shift(start: number, end: number, shift: number): void {
    const { bytes: former } = this.former
    const { bytes: later } = this.later
    const { bytes: xor } = this.xor
    for (let at = start; at < end; at++) xor[at] = (later[at] ?? 0) ^ (former[at + shift] ?? 0)
  }

  #findRuns(words: number): void {
    const { words: a } = this.former
    const { words: b } = this.later
    const { words: xor } = this.xor
    const { runs } = this
    let count = 0
    let at = 0
    while (at < words) {
      // Most words are equal: four at a time is twice as fast. What lies beyond the page is sorted out below.
      if (
        (((a[at] ?? 0) ^ (b[at] ?? 0)) |
          ((a[at + 1] ?? 0) ^ (b[at + 1] ?? 0)) |
          ((a[at + 2] ?? 0) ^ (b[at + 2] ?? 0)) |
          ((a[at + 3] ?? 0) ^ (b[at + 3] ?? 0))) ===
        0
      ) {
        at += 4
        continue
      }
      while (at < words && a[at] === b[at]) at++
      if (at === words) break
      runs[count++] = at
      while (at < words && a[at] !== b[at]) {
        xor[at] = (a[at] ?? 0) ^ (b[at] ?? 0)
        at++
      }
      runs[count++] = at
    }
    this.count = count
  }
}
