import type { Gap, Window } from '../../history/windows.ts'
import type { RestorePoints } from '../../restore/restore-points.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'

/**
 * A picture from top to bottom, oldest first: `●` a state, `┃` a stretch of which every moment can be restored, `┆` a gap.
 */
export function pointsText(database: string, { points, windows, gaps }: RestorePoints): string {
  if (windows.length === 0) return `Nothing of ${database} can be restored in this range.`
  const lines = windows.flatMap((window, index) => {
    const gap = gaps[index]
    return [...windowLines(window, points), ...(gap === undefined ? [] : [gapLine(gap)])]
  })
  return [...lines, '', summary(database, windows)].join('\n')
}

function windowLines(window: Window, points: RestorePoints['points']): string[] {
  const inside = points.filter(({ lsn }) => lsn >= window.fromLsn && lsn <= window.toLsn)
  const states = inside.map(({ lsn, time, backups }) => {
    const names = backups.map(
      ({ type, id, name, damaged }) => `${type} ${id}${name === null ? '' : ` "${name}"`}${damaged ? ' DAMAGED' : ''}`,
    )
    return `● ${formatTime(time)}  LSN ${lsn}${names.length === 0 ? '' : `  ${names.join(', ')}`}`
  })
  if (window.kind === 'point') return states
  const length = formatDuration(window.toTime - window.fromTime)
  const stretch = `┃ every moment, ${length}: ${counted(window.toLsn - window.fromLsn, 'commit')}`
  return states.flatMap((state, index) => (index === 0 ? [state, stretch] : [state]))
}

function gapLine({ fromTime, toTime, reason }: Gap): string {
  return `┆ ${formatDuration(toTime - fromTime)}: ${reason}`
}

function summary(database: string, windows: readonly Window[]): string {
  const states = windows.filter(({ kind }) => kind === 'point').length
  const stretches = windows.length - states
  const parts = [
    ...(states === 0 ? [] : [counted(states, 'single state')]),
    ...(stretches === 0 ? [] : [counted(stretches, 'continuous window')]),
  ]
  return `${database} can be restored to ${parts.join(' and ')}. The time, LSN, id or name of one goes to "holdfast restore".`
}
