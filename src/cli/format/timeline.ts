import type { Window } from '../../history/windows.ts'
import { formatTime } from './time.ts'

const cells = 64

/**
 * Two lines: the first and the last time, and beneath them the time between, `━` where every commit can be restored, `●` at a single
 * state, `┄` where nothing can. Nothing if there is no time to show.
 */
export function timeline(windows: readonly Window[]): string[] {
  const from = Math.min(...windows.map(({ fromTime }) => fromTime))
  const to = Math.max(...windows.map(({ toTime }) => toTime))
  if (windows.every(({ kind }) => kind === 'point') && windows.length < 3) return []
  if (!(to > from)) return []
  const cellOf = (time: number) => Math.min(cells - 1, Math.floor(((time - from) / (to - from)) * cells))
  const line = Array.from({ length: cells }, () => '┄')
  for (const { kind, fromTime, toTime } of windows)
    line.fill(kind === 'point' ? '●' : '━', cellOf(fromTime), cellOf(toTime) + 1)
  const [first, last] = [formatTime(from), formatTime(to)]
  return [`${first}${last.padStart(cells - first.length)}`, line.join(''), '']
}
