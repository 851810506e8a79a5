import type { DrillCheck, DrillReport, DrillState } from '../../verify/drill/drill-options.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatFacts } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatFullTime, formatTime } from '../format/time.ts'
import type { Drilled, LastDrill } from '../json/drill-schemas.ts'
import { wantedText } from '../wanted-state.ts'

export function triedText(state: DrillState): string {
  return state.by === 'random' ? 'any state' : wantedText(state)
}

export function drillText(report: DrillReport): string {
  const { database, verdict, reasons, checks, seed, keptFile, recovery, durationMs } = report
  const facts = formatFacts([
    ['state', stateText(report.state)],
    ['seed', seed === undefined ? undefined : `${seed} (repeats the choice: --random --seed ${seed})`],
    ['recovery', recoveryText(recovery)],
    ['checks', checks.map(checkText).join('\n')],
    ['file', keptFile],
    ['took', formatDuration(durationMs)],
  ])
  const title = { passed: 'passed', failed: 'FAILED', inconclusive: 'is INCONCLUSIVE' }[verdict]
  const why = reasons.map((reason) => `  ${reason.replaceAll('\n', '\n  ')}`)
  return [`The drill of ${database} ${title}${reasons.length === 0 ? '.' : ':'}`, ...why, facts].join('\n')
}

function stateText(state: DrillReport['state']): string | undefined {
  if (state === undefined) return undefined
  const { lsn, time, ageMs, backup } = state
  const when = time === undefined ? '' : `${formatFullTime(time)}, `
  const age = ageMs === undefined ? '' : `, ${formatDuration(ageMs)} old`
  const which = backup === undefined ? 'a state between backups' : `${backup.type} backup ${backup.id}`
  return `${when}LSN ${lsn}, ${which}${age}`
}

function recoveryText(recovery: DrillReport['recovery']): string | undefined {
  if (recovery === undefined) return undefined
  const { durationMs, phases, bytesFetched, commitsReplayed } = recovery
  const parts = phases.map((each) => `${each.phase} ${formatDuration(each.durationMs)}`)
  const replayed = commitsReplayed === 0 ? '' : `, ${counted(commitsReplayed, 'commit')} replayed`
  return `in ${formatDuration(durationMs)} (${parts.join(', ')}); ${formatBytes(bytesFetched)} fetched${replayed}`
}

const kinds: Readonly<Record<DrillCheck['kind'], string>> = {
  restore: 'restore',
  integrity: 'integrity',
  'foreign-keys': 'foreign keys',
  contents: 'contents',
  assertion: 'assertion',
  command: 'command',
  'recovery-time': 'recovery time',
  age: 'age',
}

function checkText({ kind, name, outcome, detail }: DrillCheck): string {
  const word = { passed: 'ok', failed: 'FAILED', inconclusive: 'INCONCLUSIVE', skipped: 'skipped' }[outcome]
  const what = name === undefined ? kinds[kind] : `${kinds[kind]} "${name}"`
  // Why it did not pass stands above.
  return outcome === 'passed' || outcome === 'skipped' ? `${word}: ${what}: ${detail}` : `${word}: ${what}`
}

/** `passed 2026-11-20`, `FAILED 2026-11-20`: the last drill that was not inconclusive, if there was one. */
export function drilledWord(drilled: Drilled): string {
  if (drilled === null) return ''
  const { verdict, time } = drilled.decided ?? drilled
  return `${verdict === 'failed' ? 'FAILED' : verdict} ${formatTime(Date.parse(time)).slice(0, 10)}`
}

export function drilledText(drilled: Drilled): string {
  if (drilled === null) return 'never'
  const { decided } = drilled
  const before =
    decided === null || decided.time === drilled.time ? '' : `\nbefore that ${decided.verdict}, ${whenText(decided)}`
  return `${verdictText(drilled)}${before}`
}

/** For the head of a list. */
export function lastDrillText(last: NonNullable<LastDrill>): string {
  return `last drill ${verdictText(last, last.lsn === null ? '' : `, of LSN ${last.lsn}`)}`
}

type Told = Pick<NonNullable<Drilled>, 'verdict' | 'time' | 'reasons' | 'recoveryMs'>

function verdictText(drill: Told, of = ''): string {
  const [reason, ...others] = drill.reasons
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  const why = reason === undefined ? '' : `: ${reason.split('\n')[0] ?? ''}${more}`
  return `${drill.verdict === 'failed' ? 'FAILED' : drill.verdict}${of}, ${whenText(drill)}${why}`
}

function whenText({ time, recoveryMs }: Pick<Told, 'time' | 'recoveryMs'>): string {
  const recovered = recoveryMs === null ? '' : `, recovered in ${formatDuration(recoveryMs)}`
  return `${formatFullTime(Date.parse(time))}${recovered}`
}
