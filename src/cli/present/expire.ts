import { formatDuration } from '../format/duration.ts'
import { type Column, formatTable } from '../format/table.ts'
import { counted, formatCount } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ExpireData } from '../upkeep/upkeep-data.ts'
import { upkeepLines } from './upkeep.ts'

type Data = ExpireData
type Reasons = Data['keep'][number]['reasons']

const columns: readonly Column[] = [
  { title: 'FATE' },
  { title: 'ID' },
  { title: 'TYPE' },
  { title: 'TIME' },
  { title: 'LSN', align: 'right' },
  { title: 'NAME' },
  { title: 'WHY' },
]

/** Every backup with its fate and the reasons, oldest first; then what becomes of segments. */
export function expireText(data: Data): string {
  const { database, dryRun, keep, drop, policyFrom, policy } = data
  const rows = [
    ...keep.map(({ backup, reasons }) => ({ fate: 'keep', backup, why: reasonsText(reasons) })),
    ...drop.map(({ backup, rule }) => ({ fate: 'drop', backup, why: dropText(rule, policy) })),
  ].sort((a, b) => a.backup.lsn - b.backup.lsn || (a.backup.capturedAt < b.backup.capturedAt ? -1 : 1))
  const table = formatTable(
    columns,
    rows.map(({ fate, backup: { id, type, capturedAt, lsn, name }, why }) => {
      return [fate, id, type, formatTime(Date.parse(capturedAt)), `${lsn}`, name ?? '', why]
    }),
  )
  const verbs = dryRun ? ['would keep', 'drop'] : ['kept', 'dropped']
  const summary = `${database}: ${verbs[0]} ${counted(keep.length, 'backup')}, ${verbs[1]} ${formatCount(drop.length)}.`
  const from = { options: 'the options', configuration: 'the configuration', default: 'the default' }[policyFrom]
  return [
    ...(rows.length === 0 ? [] : [table, '']),
    `Policy, from ${from}: ${policyText(policy)}.`,
    summary,
    ...upkeepLines(data),
    ...(dryRun ? ['Nothing was changed.'] : []),
  ].join('\n')
}

export function simulationText({ simulation, policy }: Data): string {
  if (simulation === null) return ''
  const { made, every, years, keep } = simulation
  const rows = keep.map(({ time, reasons }) => [formatTime(Date.parse(time)), reasonsText(reasons)])
  return [
    formatTable([{ title: 'TIME' }, { title: 'WHY' }], rows),
    '',
    `Policy: ${policyText(policy)}.`,
    `Of ${counted(made, `${every} backup`)} in ${counted(years, 'year')}, ${formatCount(keep.length)} would remain.`,
  ].join('\n')
}

const words: Readonly<Record<string, string>> = {
  last: 'last',
  within: 'young enough',
  window: 'in the window',
  pinned: 'pinned',
  newest: 'the newest',
  'newest-sound': 'the newest of a sound database',
  'newest-verified': 'the newest that was verified',
  'in-the-future': 'dated in the future',
}

function reasonsText(reasons: Reasons): string {
  return reasons.map(({ rule, bucket }) => (bucket === null ? (words[rule] ?? rule) : `${rule} ${bucket}`)).join(', ')
}

function dropText(rule: Data['drop'][number]['rule'], { maxBackups }: Data['policy']): string {
  return rule === 'no-rule' ? 'no rule keeps it' : `more than ${maxBackups}`
}

function policyText(policy: Data['policy']): string {
  const counts = (['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const).flatMap((rule) =>
    policy[rule] === null ? [] : [`${policy[rule]} ${rule}`],
  )
  const { last, within, window, maxBackups, timeZone } = policy
  return [
    ...(last === null ? [] : [`the last ${last}`]),
    ...counts,
    ...(within === null ? [] : [`all within ${formatDuration(within)}`]),
    ...(maxBackups === null ? [] : [`at most ${maxBackups}`]),
    ...(window === null || window === 0 ? [] : [`every commit of ${formatDuration(window)}`]),
    `days of ${timeZone}`,
  ].join(', ')
}
