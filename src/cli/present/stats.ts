import { formatBytes } from '../format/bytes.ts'
import { sparkline } from '../format/sparkline.ts'
import { formatFacts } from '../format/table.ts'
import { counted, formatPercent } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { formatRatio } from './backup.ts'

type Stats = ResultData<'stats'>

export function statsText({ repository, databases, total }: Stats): string {
  if (databases.length === 0) return `No backups yet in ${repository}.`
  const parts = databases.map((database) => `${database.database}\n${indent(databaseFacts(database))}`)
  if (databases.length > 1)
    parts.push(`All ${counted(databases.length, 'database')}\n${indent(formatFacts(totals(total)))}`)
  return parts.join('\n\n')
}

function databaseFacts(database: Stats['databases'][number]): string {
  const { growth } = database
  const [first] = growth
  const last = growth.at(-1)
  const line =
    first === undefined || last === undefined || growth.length < 2
      ? undefined
      : `${sparkline(growth.map(({ storedBytes }) => storedBytes))}  ${formatBytes(first.storedBytes)} → ${formatBytes(last.storedBytes)}`
  return formatFacts([
    ...totals(database),
    ['oldest', first === undefined ? undefined : formatTime(Date.parse(first.time))],
    ['newest', last === undefined ? undefined : formatTime(Date.parse(last.time))],
    [
      'newest good',
      database.newestGood === database.newest
        ? undefined
        : (database.newestGood ?? 'none: every backup is marked damaged'),
    ],
    ['growth', line],
  ])
}

function totals(stats: Stats['total']): (readonly [string, string | undefined])[] {
  const { byType, segments, storedBytes, followed, rawBytes, databaseBytesProtected, savedBytes, savingsRatio } = stats
  const types = (['full', 'incremental', 'snapshot'] as const).flatMap((type) =>
    byType[type] === 0 ? [] : [`${byType[type]} ${type}`],
  )
  const saved =
    savedBytes >= 0 && stats.backups > 0
      ? `${formatBytes(savedBytes)} (${formatPercent(savingsRatio)}) against plain copies of ${formatBytes(databaseBytesProtected)}`
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

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
