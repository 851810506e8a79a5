import type { Pause } from '../../history/pause.ts'
import type { Gap, Window } from '../../history/windows.ts'
import type { RestorablePoint, RestorePoints } from '../../restore/restore-points.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import { timeline } from '../format/timeline.ts'

/**
 * A picture: first all of the time in one line, then from top to bottom, oldest first: `●` a state, `┃` a stretch of which every
 * commit can be restored, `┆` a gap.
 */
export function pointsText(database: string, { points, windows, gaps, pauses }: RestorePoints): string {
  const [gap] = gaps
  if (windows.length === 0) {
    const reason = gap === undefined ? '' : ` It lies in a gap: ${gap.reason}.`
    return `Nothing of ${database} can be restored in this range.${reason}`
  }
  const parts = inOrder(windows, gaps).flatMap((part) =>
    'reason' in part ? [gapLine(part)] : 'window' in part ? windowLines(part.window, points) : [severalLine(part)],
  )
  return [...timeline(windows), ...parts, ...pauseLines(pauses), '', summary(database, windows)].join('\n')
}

/** From this many pauses on, only the newest are listed. */
const mostPauses = 5
/** Shorter ones, as at each start beside a busy application, are in the JSON alone. */
const leastPauseMs = 1_000

function pauseLines(all: readonly Pause[]): string[] {
  const pauses = all.filter(({ fromTime, toTime }) => toTime - fromTime >= leastPauseMs)
  if (pauses.length === 0) return []
  const newest = pauses.slice(-mostPauses)
  const more = pauses.length - newest.length
  return [
    '',
    'Not followed for a while: the commits made then can be restored by LSN, but a time in between names none of them.',
    ...(more === 0 ? [] : [`  ${counted(more, 'earlier pause')}: see --json`]),
    ...newest.map(
      ({ fromLsn, toLsn, fromTime, toTime }) =>
        `  ${formatTime(fromTime)} to ${formatTime(toTime)}: LSN ${toLsn === fromLsn + 1 ? toLsn : `${fromLsn + 1} to ${toLsn}`}`,
    ),
  ]
}

interface Several {
  readonly states: number
  readonly fromTime: number
  readonly toTime: number
  readonly reasons: readonly string[]
}

type Part = { readonly window: Window } | Gap | Several

/** From this many single states on, one after the other for the same reason, those between the first and the last are only counted. */
const mostListed = 6

/** Windows and gaps by time; long runs of single states, as a database without a log leaves, in one. */
function inOrder(windows: readonly Window[], gaps: readonly Gap[]): Part[] {
  const gapAfter = new Map(gaps.map((gap) => [gap.fromLsn, gap] as const))
  const parts: Part[] = gaps.filter(({ toLsn }) => toLsn === windows[0]?.fromLsn)
  for (let i = 0; i < windows.length; i += 1) {
    const window = windows[i]
    if (window === undefined) break
    parts.push({ window })
    const gap = gapAfter.get(window.toLsn)
    if (gap === undefined) continue
    const end = endOfRun(windows, gapAfter, i)
    const last = windows[end]
    if (end - i < mostListed || last === undefined) {
      parts.push(gap)
      continue
    }
    const inside = windows.slice(i, end).flatMap(({ toLsn }) => gapAfter.get(toLsn)?.reason ?? [])
    const { toTime: fromTime } = window
    parts.push({ states: end - i - 1, fromTime, toTime: last.fromTime, reasons: [...new Set(inside)] })
    i = end - 1
  }
  return parts
}

/** The index of the last of the single states that follow one another from `start` on with gaps of one reason between. */
function endOfRun(windows: readonly Window[], gapAfter: ReadonlyMap<number, Gap>, start: number): number {
  const reason = (i: number) => gapAfter.get(windows[i]?.toLsn ?? 0)?.reason
  let end = start
  while (windows[end]?.kind === 'point' && windows[end + 1]?.kind === 'point' && reason(end) === reason(start)) end += 1
  return end
}

function windowLines(window: Window, points: RestorePoints['points']): string[] {
  const backups = points.filter(({ lsn }) => lsn >= window.fromLsn && lsn <= window.toLsn)
  if (window.kind === 'point') return backups.map(stateLine)
  const ends = [
    { lsn: window.fromLsn, time: window.fromTime, backups: [] },
    { lsn: window.toLsn, time: window.toTime, backups: [] },
  ].filter(({ lsn }) => backups.every((backup) => backup.lsn !== lsn))
  const states = [...backups, ...ends].sort((a, b) => a.lsn - b.lsn || a.time - b.time)
  return states.flatMap((state, i) => {
    const before = states[i - 1]
    const commits = before === undefined ? 0 : state.lsn - before.lsn
    if (before === undefined || commits === 0) return [stateLine(state)]
    return [
      `┃ every one of ${counted(commits, 'commit')}, in ${formatDuration(state.time - before.time)}`,
      stateLine(state),
    ]
  })
}

function stateLine({ lsn, time, backups }: RestorablePoint): string {
  const names = backups.map(
    ({ type, id, name, damaged }) => `${type} ${id}${name === null ? '' : ` "${name}"`}${damaged ? ' DAMAGED' : ''}`,
  )
  return `● ${formatTime(time)}  LSN ${lsn}${names.length === 0 ? '' : `  ${names.join(', ')}`}`
}

function gapLine({ fromTime, toTime, reason }: Gap): string {
  return `┆ ${formatDuration(toTime - fromTime)}: ${reason}`
}

function severalLine({ states, fromTime, toTime, reasons }: Several): string {
  return `┆ ${counted(states, 'more single state')} in ${formatDuration(toTime - fromTime)}: ${reasons.join('; ')}`
}

function summary(database: string, windows: readonly Window[]): string {
  const states = windows.filter(({ kind }) => kind === 'point').length
  const stretches = windows.length - states
  const parts = [
    ...(states === 0 ? [] : [counted(states, 'single state')]),
    ...(stretches === 0 ? [] : [`every commit of ${counted(stretches, 'window')}`]),
  ]
  return `${database} can be restored to ${parts.join(' and to ')}. The time, LSN, id or name of one goes to "holdfast restore".`
}
