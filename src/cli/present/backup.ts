import type { BackupManifest } from '../../repository/manifest.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatTable } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatFullTime, formatTime } from '../format/time.ts'
import type { ResultData, Verified } from '../json/schemas.ts'
import { drilledWord } from './drill.ts'

type Done = ResultData<'backup'>['backups'][number]

export function backupText({ backup, durationMs, writersBlockedMs }: Done): string {
  const title = `${backup.database}: ${backup.type} backup ${backup.id}${backup.name === null ? '' : ` "${backup.name}"`}${backup.damaged ? ', marked DAMAGED' : ''}`
  const blocked = writersBlockedMs > 0 ? `; its writers waited up to ${formatDuration(writersBlockedMs)}` : ''
  return [
    title,
    `  state    ${formatFullTime(Date.parse(backup.capturedAt))}, LSN ${backup.lsn}${backup.parent === null ? '' : `, on ${backup.parent}`}`,
    `  stored   ${storedText(backup)}`,
    `  checked  ${checksText(backup)}; read back and equal`,
    `  took     ${formatDuration(durationMs)}${blocked}`,
  ].join('\n')
}

/** `1.2 MiB of pages in 340 KiB (3.5x), of a database of 100 MiB`. */
export function storedText(backup: BackupManifest): string {
  const { rawBytes, storedBytes, databaseBytes, pages, segment } = backup
  const database = `a database of ${formatBytes(databaseBytes)}`
  if (segment === null) return `nothing more: the logs lead to this state of ${database}`
  if (pages === 0) return `${formatBytes(storedBytes)}: nothing changed in ${database}`
  return `${formatBytes(storedBytes)} for ${counted(pages, 'page')} of ${formatBytes(rawBytes)} (${formatRatio(backup)}), of ${database}`
}

export function formatRatio({ compressionRatio }: { readonly compressionRatio: number }): string {
  return `${compressionRatio.toFixed(compressionRatio < 9.95 ? 1 : 0)}x`
}

/** What was checked of the database, in words. */
export function checksText({ validation, source }: BackupManifest): string {
  const { level, ok, findings, foreignKeyViolations } = validation
  const rows = rowsText(source.tables)
  if (level === 'none') return `nothing, as asked; ${rows}`
  const check = level === 'quick' ? 'quick_check' : 'integrity_check'
  if (ok) return `${check} ok, foreign keys ok; ${rows}`
  const foreign = foreignKeyViolations === 0 ? [] : [dangling(foreignKeyViolations)]
  if (findings.length === 0) return `${check} ok, but FAILED: ${foreign.join('')}`
  return `${check} FAILED: ${[...findings.slice(0, 3), ...foreign].join('; ')}`
}

/** What SQLite's foreign_key_check counts. */
export function dangling(violations: number): string {
  return `${counted(violations, 'row')} without the row that a foreign key refers to`
}

function rowsText(tables: readonly { readonly rows: number | null }[]): string {
  const known = tables.flatMap(({ rows }) => (rows === null ? [] : [rows]))
  if (known.length === 0) return counted(tables.length, 'table')
  const total = known.reduce((sum, rows) => sum + rows, 0)
  return `${counted(total, 'row')} in ${counted(tables.length, 'table')}`
}

type Listed = ResultData<'list'>['databases'][number]['backups'][number]

export function backupTable(backups: readonly Listed[]): string {
  return formatTable(
    [
      { title: 'ID' },
      { title: 'TYPE' },
      { title: 'TIME' },
      { title: 'LSN', align: 'right' },
      { title: 'NAME' },
      { title: 'SIZE', align: 'right' },
      { title: 'STORED', align: 'right' },
      { title: 'RATIO', align: 'right' },
      { title: 'PARENT' },
      { title: 'VERIFIED' },
      { title: 'DRILL' },
      { title: 'MARKS' },
    ],
    backups.map((backup) => [
      backup.id,
      backup.type,
      formatTime(Date.parse(backup.capturedAt)),
      `${backup.lsn}`,
      backup.name ?? '',
      formatBytes(backup.databaseBytes),
      formatBytes(backup.storedBytes),
      backup.pages === 0 ? '' : formatRatio(backup),
      `${backup.parent ?? ''}${backup.parentGone ? ' (gone)' : ''}`,
      verifiedWord(backup.verified),
      drilledWord(backup.drilled),
      [backup.damaged ? 'DAMAGED' : '', backup.pinned ? 'pinned' : ''].filter((mark) => mark !== '').join(' '),
    ]),
  )
}

/** `restore 2026-11-20`, `data 2026-11-20`, `FAILED 2026-11-20`. */
function verifiedWord(verified: Verified): string {
  if (verified === null) return ''
  return `${verified.ok ? verified.level : 'FAILED'} ${formatTime(Date.parse(verified.time)).slice(0, 10)}`
}

export function verifiedText(verified: Verified): string {
  if (verified === null) return 'never'
  const what = verified.level === 'restore' ? 'by a trial restore' : 'every stored byte'
  const when = formatFullTime(Date.parse(verified.time))
  return verified.ok ? `${what}, ${when}` : `FAILED, ${when}: ${verified.problem ?? ''}`
}
