/**
 * Finds what moved within a page. SQLite moves cell pointers where it inserts a cell, and cells where it closes the holes between
 * them. Looks only at what differs, so that it costs little where little changed.
 */
import type { PageDifference } from './page-difference.ts'
import type { PatchStretches } from './patch-stretches.ts'

/** A change of shift takes up to five bytes, and mostly one back is needed, so a shorter match gains nothing. */
const minMatch = 8
/** Another match must be so much longer than the one at a shift that was there before: those come again, and compress. */
const preferKnown = 4
const tableBits = 11
/** Windows of eight former bytes: in the upper half the turn in which they were put there, in the lower half their position. */
const table = new Uint32Array(1 << tableBits)
const lastTurn = 0xffff
let turn = 0

/** Yields stretches whose shifts fit the page; those that matched, and what stands between them at the shift before it. */
export function findMoves(page: PageDifference, found: PatchStretches): void {
  found.reset()
  if (page.count === 0) return
  indexWindows(page)
  const { pageSize } = page
  const { bytes: former, view: from } = page.former
  const { bytes: later, view: to } = page.later
  let shift = 0
  let shiftBefore = 0
  let at = matchEnd(page, (page.runs[0] ?? 0) << 2, 0)
  let unmatchedFrom = at
  let stretchFrom = 0
  let misses = 0
  while (at < pageSize) {
    const word = to.getInt32(at, true)
    if (at > unmatchedFrom && at + 4 <= pageSize - shift && from.getInt32(at + shift, true) === word) {
      at = matchEnd(page, at, shift)
      unmatchedFrom = at
    } else {
      let best = shift
      let end = at + minMatch - 1
      if (shift !== 0 && from.getInt32(at, true) === word) {
        const homeEnd = matchEnd(page, at, 0)
        if (homeEnd > end) {
          best = 0
          end = homeEnd
        }
      }
      const before = at + shiftBefore
      if (shiftBefore !== shift && before >= 0 && before < pageSize && from.getInt32(before, true) === word) {
        const beforeEnd = matchEnd(page, at, shiftBefore)
        if (beforeEnd > end) {
          best = shiftBefore
          end = beforeEnd
        }
      }
      const entry = table[slotOf(word, to.getInt32(at + 4, true))] ?? 0
      const position = entry & 0xffff
      if (entry >>> 16 === turn && from.getInt32(position, true) === word) {
        const windowEnd = matchEnd(page, at, position - at)
        if (windowEnd > (best === shift ? end : end + preferKnown)) {
          best = position - at
          end = windowEnd
        }
      }
      if (best === shift) {
        at += strideAfter(misses++)
      } else {
        let start = at
        const least = Math.max(unmatchedFrom, stretchFrom, -best)
        while (start > least && later[start - 1] === former[start - 1 + best]) start--
        found.add(start, best)
        stretchFrom = start
        misses = 0
        shiftBefore = shift
        shift = best
        at = end
        unmatchedFrom = at
      }
    }
    if (shift > 0 && at + shift >= pageSize) {
      // What follows has no source at this shift.
      stretchFrom = pageSize - shift
      found.add(stretchFrom, 0)
      shiftBefore = shift
      shift = 0
    }
  }
}

/**
 * The longer nothing matched, the fewer places are looked at; a match found late is extended back. Odd, since windows begin at
 * words only, and any place may be theirs.
 */
function strideAfter(misses: number): number {
  if (misses < 16) return 1
  if (misses < 48) return 3
  return misses < 96 ? 7 : 13
}

/** Of what differs only: SQLite moves what it moves to places that it changes. Later windows take the place of earlier ones. */
function indexWindows({ former, runs, count, pageSize }: PageDifference): void {
  if (turn === lastTurn) {
    table.fill(0)
    turn = 0
  }
  turn++
  const { words } = former
  const last = pageSize / 4 - 1
  for (let run = 0; run < count; run += 2) {
    const end = Math.min(runs[run + 1] ?? 0, last)
    for (let word = runs[run] ?? 0; word < end; word++)
      table[slotOf(words[word] ?? 0, words[word + 1] ?? 0)] = (turn << 16) | (word << 2)
  }
}

function slotOf(low: number, high: number): number {
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)) >>> (32 - tableBits)
}

/** Where the bytes from `at` on cease to be the former ones at this shift. */
function matchEnd({ former, later, pageSize }: PageDifference, at: number, shift: number): number {
  const limit = shift > 0 ? pageSize - shift : pageSize
  let end = at
  while (end + 4 <= limit && later.view.getInt32(end, true) === former.view.getInt32(end + shift, true)) end += 4
  while (end < limit && later.bytes[end] === former.bytes[end + shift]) end++
  return end
}
