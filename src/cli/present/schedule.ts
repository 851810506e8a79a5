import type { ScheduleStatus } from '../../agent/schedule/schedule-status.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatTable } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'

type Listed = ResultData<'schedule list'>['schedules'][number]

const columns = [
  { title: 'DATABASE' },
  { title: 'ID' },
  { title: 'WHAT' },
  { title: 'LAST RUN' },
  { title: 'NEXT RUN' },
]

export function schedulesText(
  listed: readonly { readonly status: ScheduleStatus; readonly data: Listed }[],
  now: number,
): string {
  if (listed.length === 0) return 'No schedules.'
  const rows = listed.map(({ status, data }) => [
    data.database,
    data.id,
    data.description,
    data.lastStarted === null ? 'never' : `${formatTime(Date.parse(data.lastStarted))} ${data.outcome ?? ''}`.trimEnd(),
    nextText(status, now),
  ])
  return formatTable(columns, rows)
}

function nextText({ due, since, schedule: { trigger } }: ScheduleStatus, now: number): string {
  if (due !== undefined) return due <= now ? 'due' : formatTime(due)
  switch (trigger.on) {
    case 'commits':
      return `after ${counted(trigger.count - since.commits, 'more commit')}`
    case 'bytes':
      return `after ${formatBytes(trigger.count - since.bytes)} more`
    case 'quiet':
      return 'after the next commit'
    case 'interval':
      return 'counts from when the agent sees it'
    default:
      return 'never'
  }
}
