import type { Window } from '../../history/windows.ts'
import { formatTime } from './time.ts'

const cells = 64
const gapMark = '┄'
const commitsMark = '━'
const stateMark = '●'

/** The cells of a window, both inclusive. */
interface Span {
  readonly mark: string
  start: number
  end: number
}

/**
 * Two lines: the first and the last time, and beneath them the time between, `━` where every commit can be restored, `●` at a single
 * state, `┄` where nothing can; also of a gap shorter than a cell. Nothing if there is no time to show.
 */
export function timeline(windows: readonly Window[]): string[] {
  const from = Math.min(...windows.map(({ fromTime }) => fromTime))
  const to = Math.max(...windows.map(({ toTime }) => toTime))
  if (windows.every(({ kind }) => kind === 'point') && windows.length < 3) return []
  if (!(to > from)) return []
  const cellOf = (time: number) => Math.min(cells - 1, Math.floor(((time - from) / (to - from)) * cells))
  const spans = windows.map(({ kind, fromTime, toTime }): Span => {
    return { mark: kind === 'point' ? stateMark : commitsMark, start: cellOf(fromTime), end: cellOf(toTime) }
  })
  const [first, last] = [formatTime(from), formatTime(to)]
  return [`${first}${last.padStart(cells - first.length)}`, drawn(spans), '']
}

function drawn(spans: readonly Span[]): string {
  const pairs = spans.slice(1).flatMap((right, i) => {
    const left = spans[i]
    return left === undefined ? [] : [{ left, right }]
  })
  for (const { left, right } of pairs) makeRoom(left, right)
  const line = Array.from({ length: cells }, () => gapMark)
  for (const { mark, start, end } of spans) line.fill(mark, start, end + 1)
  // Where there was no room: single states stand apart anyway.
  for (const { left, right } of pairs.filter((pair) => isTight(pair.left, pair.right))) {
    if (left.mark === commitsMark) line[left.end] = gapMark
    else if (right.mark === commitsMark) line[right.start] = gapMark
  }
  return line.join('')
}

/** A cell for the gap between two neighbours, of the wider one, as long as each keeps one of its own. */
function makeRoom(left: Span, right: Span): void {
  while (isTight(left, right)) {
    const [ofLeft, ofRight] = [left.end - left.start, right.end - right.start]
    if (ofLeft === 0 && ofRight === 0) return
    if (ofRight >= ofLeft) right.start += 1
    else left.end -= 1
  }
}

const isTight = (left: Span, right: Span): boolean => right.start < left.end + 2
