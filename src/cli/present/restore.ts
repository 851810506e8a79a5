import type { RestorePlan, RestoreResult } from '../../restore/restore-options.ts'
import type { Proof } from '../../source/target.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatFacts } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatFullTime } from '../format/time.ts'
import { dangling } from './backup.ts'
import { stepTable } from './show.ts'

export function planText(plan: RestorePlan): string {
  const { estimate, steps } = plan
  const facts = formatFacts([
    ['database', plan.database],
    ['state', stateText(plan)],
    ['time', `about ${formatDuration(estimate.durationMs)}`],
    ['fetches', `${formatBytes(estimate.bytesToFetch)} in ${counted(estimate.requests, 'request')}`],
    ['writes', `${formatBytes(estimate.bytesToWrite)}; so much space must be free`],
    ['replays', estimate.commitsToReplay === 0 ? undefined : counted(estimate.commitsToReplay, 'commit')],
    ['checksum', plan.checksum],
  ])
  return `${facts}\n\nSteps:\n${stepTable(steps)}`
}

export function restoreText(result: RestoreResult): string {
  const { plan, dryRun, targetPath, mode, pagesWritten, bytesFetched, durationMs, proof } = result
  const replayed = plan.estimate.commitsToReplay
  if (dryRun)
    return `Would restore ${plan.database} to ${targetPath}${modeText(mode)}.\n${planText(plan)}\n\nNothing was fetched or written.`
  const facts = formatFacts([
    ['state', stateText(plan)],
    ['proof', proof === undefined ? undefined : proofLines(proof).join('\n')],
    [
      'written',
      `${formatBytes(pagesWritten * plan.pageSize)} for a database of ${counted(plan.pageCount, 'page')}, ${formatBytes(plan.pageCount * plan.pageSize)}`,
    ],
    ['replayed', replayed === 0 ? undefined : counted(replayed, 'commit')],
    ['fetched', `${formatBytes(bytesFetched)} from ${counted(plan.steps.length, 'segment')}`],
    ['took', formatDuration(durationMs)],
  ])
  return `Restored ${plan.database} to ${targetPath}${modeText(mode)}.\n${facts}`
}

function modeText(mode: RestoreResult['mode']): string {
  switch (mode) {
    case 'create':
      return ''
    case 'replace':
      return ', in place of the file that was there'
    case 'delta':
      return ', changing only the pages that differ'
  }
}

function stateText({ time, pause, lsn, backup }: RestorePlan): string {
  const name = backup?.name === null || backup === undefined ? '' : ` "${backup.name}"`
  const which = backup === undefined ? '' : `, ${backup.type} backup ${backup.id}${name}`
  // Of a moment's pause, as at each start, nobody needs to hear.
  const isLong = pause !== undefined && formatFullTime(pause.fromTime) !== formatFullTime(pause.toTime)
  const when = isLong
    ? `between ${formatFullTime(pause.fromTime)} and ${formatFullTime(pause.toTime)}, while not followed`
    : formatFullTime(time)
  return `${when}, LSN ${lsn}${which}`
}

/** Each proof in words, with what it rests on. */
function proofLines({
  state,
  pagesHashed,
  validation,
  factsMatch,
  tablesCompared,
  command,
  durationMs,
}: Proof): string[] {
  const { level, ok, findings, foreignKeyViolations } = validation
  const lines = [
    `state checksum ${state.toString(16).padStart(16, '0')} equal (${counted(pagesHashed, 'page')} read back)`,
  ]
  if (level === 'none') lines.push('no check by SQLite, as asked')
  else if (ok) lines.push(`${level === 'quick' ? 'quick_check' : 'integrity_check'} ok, foreign keys ok`)
  else
    lines.push(
      `damaged as it was when backed up: ${[...findings.slice(0, 3), ...foreignText(foreignKeyViolations)].join('; ')}`,
    )
  if (factsMatch === true) {
    lines.push(
      `schema and settings as in the backup${tablesCompared === 0 ? '' : `; row counts of ${counted(tablesCompared, 'table')} equal`}`,
    )
  }
  if (command !== undefined) lines.push(`your command succeeded, in ${formatDuration(command.durationMs)}`)
  return [...lines, `in ${formatDuration(durationMs)}`]
}

function foreignText(violations: number): string[] {
  return violations === 0 ? [] : [dangling(violations)]
}
