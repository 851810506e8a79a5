import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { counted, formatCount } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { Followed } from './followed.ts'

export interface StatusFacts {
  readonly now: number
  /** Commits a second, of late. */
  readonly rate: number
}

/** `app: 12,345 commits, 120/s, lag 0.4 s, log 3.1 MiB, uploaded 14:05:09`; of several databases, of all together. */
export function statusLine(databases: readonly Followed[], { now, rate }: StatusFacts): string {
  const [only, another] = databases
  const name = only !== undefined && another === undefined ? only.database : counted(databases.length, 'database')
  const commits = databases.reduce((sum, followed) => sum + followed.commits, 0)
  const logBytes = databases.reduce((sum, followed) => sum + followed.logBytes(), 0)
  const uploads = databases.flatMap(({ uploadedAt }) => uploadedAt ?? [])
  const unit = databases.every(({ mode }) => mode === 'deltas') ? 'state' : 'commit'
  const facts = [
    counted(commits, unit),
    ...(rate < 0.5 ? [] : [`${formatCount(Math.round(rate))}/s`]),
    `lag ${formatDuration(Math.max(0, ...databases.map((followed) => followed.lag(now))))}`,
    ...(unit === 'state' ? [] : [`log ${formatBytes(logBytes)}`]),
    uploads.length === 0 ? 'nothing to upload yet' : `uploaded ${formatTime(Math.max(...uploads)).slice(11, 19)}`,
    ...databases.flatMap(({ database, trouble }) =>
      trouble === undefined ? [] : [another === undefined ? trouble : `${database}: ${trouble}`],
    ),
  ]
  return `${name}: ${facts.join(', ')}`
}
