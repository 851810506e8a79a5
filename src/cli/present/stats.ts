import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { sparkline } from '../format/sparkline.ts'
import { formatFacts, formatTable } from '../format/table.ts'
import { counted, formatCount, formatPercent } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { formatRatio } from './backup.ts'

type Stats = ResultData<'stats'>

/** As many as a sparkline has room for. */
const mostDays = 40

export function statsText({ repository, databases, total, operations, mirrors }: Stats): string {
  if (databases.length === 0) return `No backups yet in ${repository}.`
  const parts = databases.map((database) => `${database.database}\n${indent(databaseFacts(database))}`)
  if (databases.length > 1)
    parts.push(`All ${counted(databases.length, 'database')}\n${indent(formatFacts(totals(total)))}`)
  if (mirrors.length > 0) parts.push(`Mirrors\n${indent(mirrorTable(mirrors))}`)
  if (operations.length > 0)
    parts.push(`Operations, as far as the history of this machine knows\n${indent(operationTable(operations))}`)
  return parts.join('\n\n')
}

function mirrorTable(mirrors: Stats['mirrors']): string {
  return formatTable(
    [{ title: 'MIRROR' }, { title: 'COMPLETE AS OF' }, { title: 'BEHIND' }],
    mirrors.map(({ mirror, completeAt, behind, problem }) => [
      mirror,
      completeAt === null ? 'never yet' : formatTime(Date.parse(completeAt)),
      behind === null ? `not known: ${problem}` : lagText(behind),
    ]),
  )
}

function lagText({ objects, bytes, lsns }: NonNullable<Stats['mirrors'][number]['behind']>): string {
  if (objects === 0) return 'nothing'
  const states = lsns === 0 ? '' : `, ${counted(lsns, 'LSN')}`
  return `${counted(objects, 'object')}, ${formatBytes(bytes)}${states}`
}

function operationTable(operations: Stats['operations']): string {
  const columns = ['RUNS', 'SUCCEEDED', 'FAILED', 'INTERRUPTED', 'SUCCESS', 'MEDIAN', '95 %', 'LONGEST']
  return formatTable(
    [{ title: 'OPERATION' }, ...columns.map((title) => ({ title, align: 'right' as const }))],
    operations.map(({ kind, runs, outcomes, successRate, durationMs }) => [
      kind,
      formatCount(runs),
      formatCount(outcomes.succeeded + outcomes.warning),
      formatCount(outcomes.failed + outcomes.inconclusive),
      formatCount(outcomes.interrupted),
      formatPercent(successRate),
      formatDuration(durationMs.median),
      formatDuration(durationMs.p95),
      formatDuration(durationMs.max),
    ]),
  )
}

/** Stored bytes a day over the last days on which anything was, if there are several. */
function daysText(days: Stats['databases'][number]['days']): string | undefined {
  const shown = days.slice(-mostDays)
  const [first] = shown
  const last = shown.at(-1)
  if (first === undefined || last === undefined || shown.length < 2) return undefined
  const most = Math.max(...shown.map(({ bytes }) => bytes))
  return `${sparkline(shown.map(({ bytes }) => bytes))}  ${first.day} to ${last.day}, up to ${formatBytes(most)} a day`
}

function databaseFacts(database: Stats['databases'][number]): string {
  const { growth } = database
  const [first] = growth
  const last = growth.at(-1)
  const oldest = database.backups === 0 ? undefined : first
  const newest = growth[database.backups - 1]
  const line =
    first === undefined || last === undefined || growth.length < 2
      ? undefined
      : `${sparkline(growth.map(({ storedBytes }) => storedBytes))}  ${formatBytes(first.storedBytes)} → ${formatBytes(last.storedBytes)}`
  return formatFacts([
    ...totals(database),
    ['oldest', oldest === undefined ? undefined : formatTime(Date.parse(oldest.time))],
    ['newest', newest === undefined ? undefined : formatTime(Date.parse(newest.time))],
    [
      'newest good',
      database.newestGood === database.newest
        ? undefined
        : (database.newestGood ?? 'none: every backup is marked damaged'),
    ],
    ['growth', line],
    ['stored daily', daysText(database.days)],
  ])
}

function totals(stats: Stats['total']): (readonly [string, string | undefined])[] {
  const { byType, segments, storedBytes, followed, rawBytes, databaseBytesProtected, savedBytes, savingsRatio } = stats
  const types = (['full', 'incremental', 'snapshot'] as const).flatMap((type) =>
    byType[type] === 0 ? [] : [`${byType[type]} ${type}`],
  )
  const saved =
    savedBytes >= 0 && stats.backups > 0
      ? `${formatBytes(savedBytes)} (${formatPercent(savingsRatio)}) against plain copies of ${formatBytes(databaseBytesProtected)}${savedBy(stats)}`
      : undefined
  return [
    ['backups', `${stats.backups}${types.length === 0 ? '' : ` (${types.join(', ')})`}`],
    ['stored', `${formatBytes(storedBytes)} in ${counted(segments, 'segment')}`],
    [
      'followed',
      followed.segments === 0
        ? undefined
        : `${counted(followed.commits, 'commit')}, ${formatBytes(followed.bytes)} in ${counted(followed.segments, 'segment')} of these`,
    ],
    ['compression', rawBytes === 0 ? undefined : `${formatRatio(stats)}, from ${formatBytes(rawBytes)} of pages`],
    ['saved', saved],
  ]
}

function savedBy({ savedByIncrementals, savedByCompression }: Stats['total']): string {
  if (savedByIncrementals <= 0 || savedByCompression <= 0) return ''
  return `: ${formatBytes(savedByIncrementals)} by storing changes only, ${formatBytes(savedByCompression)} by compression`
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
