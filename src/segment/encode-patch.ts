import { findMoves } from './find-moves.ts'
import { PageDifference } from './page-difference.ts'
import { PatchStretches } from './patch-stretches.ts'
import { PatchWriter } from './patch-writer.ts'

/** A patch without moves that is not longer is taken as it is: a change of some rows that stay as long as they were. */
const shortEnough = 48

const page = new PageDifference()
const stretches = new PatchStretches()
const plain = new PatchWriter()
const moved = new PatchWriter()

/** The patch that turns `before` into `after`, or undefined when it would not be smaller than `after` itself. Both have the page size. */
export function encodePatch(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  page.take(before, after)
  plain.begin(page.pageSize - 1)
  putRuns(plain, 0, 0, page.pageSize)
  const { length } = plain
  if (length !== undefined && length <= shortEnough) return plain.result()
  findMoves(page, stretches)
  if (stretches.count > 1) {
    moved.begin((length ?? page.pageSize) - 1)
    putStretches(moved)
    if (moved.length !== undefined) return moved.result()
  }
  return length === undefined ? undefined : plain.result()
}

function putStretches(writer: PatchWriter): void {
  let run = 0
  for (let index = 0; index < stretches.count; index++) {
    const shift = stretches.shift(index)
    const start = stretches.start(index)
    const end = stretches.end(index, page.pageSize)
    writer.shift(start, shift)
    if (shift === 0) {
      run = putRuns(writer, run, start, end)
    } else {
      page.shift(start, end, shift)
      writer.differences(page.xor, start, end)
    }
  }
}

/** What differs between `start` and `end` where nothing moved. Begins with this run, and returns the first that goes on after `end`. */
function putRuns(writer: PatchWriter, firstRun: number, start: number, end: number): number {
  for (let run = firstRun; run < page.count; run += 2) {
    const from = (page.runs[run] ?? 0) << 2
    const to = (page.runs[run + 1] ?? 0) << 2
    if (to > start && from < end) writer.run(page.xor.bytes, Math.max(from, start), Math.min(to, end))
    if (to > end) return run
  }
  return page.count
}
