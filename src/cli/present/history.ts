import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatTable } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'

/** A message is told up to here; all of it is in `--json`. */
const longestMessage = 100

export function historyText(
  operations: readonly RecordedOperation[],
  { now, limit, ofAll }: { readonly now: number; readonly limit: number; readonly ofAll: boolean },
): string {
  if (operations.length === 0) return 'No such operation is recorded.'
  const table = formatTable(
    [
      { title: 'START' },
      { title: 'DURATION', align: 'right' },
      { title: 'OPERATION' },
      { title: 'DATABASE' },
      { title: 'OUTCOME' },
      ...(ofAll ? [{ title: 'REPOSITORY' }] : []),
      { title: 'FIGURES' },
    ],
    operations.map((operation) => [
      formatTime(operation.startedAt),
      durationText(operation, now),
      operation.type === undefined ? operation.kind : `${operation.kind} ${operation.type}`,
      operation.database ?? '',
      outcomeText(operation),
      ...(ofAll ? [operation.repository] : []),
      notesOf(operation).join('; '),
    ]),
  )
  if (operations.length < limit) return table
  return `${table}\nThe newest ${limit}; there may be older ones (--limit, --until).`
}

function durationText({ startedAt, endedAt, outcome }: RecordedOperation, now: number): string {
  if (outcome === 'running') return `${formatDuration(Math.max(0, now - startedAt))} so far`
  return endedAt === undefined || outcome === 'interrupted' ? '' : formatDuration(endedAt - startedAt)
}

function outcomeText({ outcome, code }: RecordedOperation): string {
  const word = outcome === 'failed' ? 'FAILED' : outcome
  return code === undefined || outcome !== 'failed' ? word : `${word} ${code}`
}

function notesOf(operation: RecordedOperation): string[] {
  const { message = '', warnings = [] } = operation
  const besides = warnings.map((warning) => `besides: ${shortened(warning)}`)
  return [figuresText(operation), shortened(message), ...besides].filter((part) => part !== '')
}

/** The figures that people ask for first. */
function figuresText({ backupId, figures = {} }: RecordedOperation): string {
  const told = (name: string, text: (value: number) => string) => {
    const value = figures[name]
    return value === undefined ? [] : [text(value)]
  }
  return [
    ...(backupId === undefined ? [] : [backupId]),
    ...told('storedBytes', (bytes) => `${formatBytes(bytes)} stored`),
    ...told('databaseBytes', (bytes) => `of ${formatBytes(bytes)}`),
    ...told('commits', (commits) => counted(commits, 'commit')),
    ...told('bytesFetched', (bytes) => `${formatBytes(bytes)} fetched`),
    ...told('pagesWritten', (pages) => `${counted(pages, 'page')} written`),
    ...told('segments', (segments) => counted(segments, 'segment')),
    ...told('restores', (restores) => (restores === 0 ? '' : counted(restores, 'trial restore'))),
    ...told('findings', (findings) => (findings === 0 ? '' : counted(findings, 'finding'))),
    ...told('dropped', (backups) => (backups === 0 ? '' : `${counted(backups, 'backup')} let go`)),
    ...told('merged', (segments) => (segments === 0 ? '' : counted(segments, 'new segment'))),
    ...told('freedBytes', (bytes) => `${formatBytes(bytes)} freed`),
    ...told('waitingBytes', (bytes) => (bytes === 0 ? '' : `${formatBytes(bytes)} to be freed later`)),
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`
}
