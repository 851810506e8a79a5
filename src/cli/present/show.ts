import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatFacts, formatTable } from '../format/table.ts'
import { counted, formatCount } from '../format/text.ts'
import { formatFullTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { checksText, storedText, verifiedText } from './backup.ts'
import { drilledText } from './drill.ts'

export function showText({ backup, chain, neededBy }: ResultData<'show'>): string {
  const { source } = backup
  const tags = Object.entries(backup.tags).map(([key, value]) => `${key}=${value}`)
  const facts = formatFacts([
    ['backup', `${backup.id} (${backup.type})`],
    ['name', backup.name ?? undefined],
    ['marks', [backup.damaged ? 'DAMAGED' : '', backup.pinned ? 'pinned' : ''].join(' ').trim()],
    ['tags', tags.join(', ')],
    ['database', `${backup.database}, from ${backup.location} on ${backup.host}`],
    ['state', `${formatFullTime(Date.parse(backup.capturedAt))}, LSN ${backup.lsn}`],
    ['checksum', backup.checksum],
    ['parent', parentText(backup)],
    ['needed by', neededBy.length === 0 ? 'no other backup' : neededBy.join(', ')],
    ['stored', `${storedText(backup)}, ${backup.codec}`],
    ['checked', `${checksText(backup)}, in ${formatDuration(backup.validation.durationMs)}`],
    ['verified', verifiedText(backup.verified)],
    ['drilled', drilledText(backup.drilled)],
    [
      'made',
      `in ${formatDuration(backup.durationMs)}, by Holdfast ${backup.holdfastVersion} with SQLite ${source.engineVersion}`,
    ],
    [
      'file',
      `${counted(source.pageCount, 'page')} of ${formatBytes(source.pageSize)}, ${source.encoding}, ${source.journalMode === 'wal' ? 'WAL' : 'rollback journal'}, auto_vacuum ${source.autoVacuum}, user_version ${source.userVersion}`,
    ],
    ['schema', `SHA-256 ${source.schemaDigest}`],
  ])
  const tables = formatTable(
    [{ title: 'TABLE' }, { title: 'ROWS', align: 'right' }],
    source.tables.map(({ name, rows }) => [name, rows === null ? '-' : formatCount(rows)]),
  )
  return [facts, ...(source.tables.length === 0 ? [] : [tables]), chainText(chain)].join('\n\n')
}

function parentText({ parent, parentGone, segment }: ResultData<'show'>['backup']): string {
  if (parent !== null) return parentGone ? `${parent}, which was let go or deleted since` : parent
  return segment === null ? 'none: what was followed leads to it' : 'none: it stands alone'
}

function chainText(chain: ResultData<'show'>['chain']): string {
  if (chain === null) return 'No chain of segments leads to it any more: it cannot be restored.'
  const total = chain.reduce((sum, { bytes }) => sum + bytes, 0)
  return `Restored from ${counted(chain.length, 'segment')}, ${formatBytes(total)}:\n${stepTable(chain)}`
}

interface Step {
  readonly kind: string
  readonly from: number
  readonly to: number
  readonly bytes: number
  readonly key: string
}

/** From this many on, logs that follow one another are shown in one line. */
const manyLogs = 4

/** Segments in the order in which they are applied. */
export function stepTable(steps: readonly Step[]): string {
  return formatTable(
    [{ title: 'KIND' }, { title: 'LSNS', align: 'right' }, { title: 'STORED', align: 'right' }, { title: 'OBJECT' }],
    runsOfLogs(steps).map((run) => {
      const [first] = run
      const last = run.at(-1)
      if (first === undefined || last === undefined) return []
      const bytes = run.reduce((sum, step) => sum + step.bytes, 0)
      const range = `(${first.from}, ${last.to}]`
      return run.length === 1
        ? [first.kind, range, formatBytes(bytes), first.key]
        : [`${formatCount(run.length)} logs`, range, formatBytes(bytes), `${first.key} …`]
    }),
  )
}

function runsOfLogs(steps: readonly Step[]): (readonly Step[])[] {
  const runs: Step[][] = []
  for (const step of steps) {
    const last = runs.at(-1)
    if (step.kind === 'log' && last?.[0]?.kind === 'log') last.push(step)
    else runs.push([step])
  }
  return runs.flatMap((run) => (run.length >= manyLogs ? [run] : run.map((step) => [step])))
}
