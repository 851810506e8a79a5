import type { ValidationReport } from '../../source/facts.ts'
import type { SourceSnapshot } from '../../source/source.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'
import { type Check, note, ok, warning } from './check.ts'

/** Reading for so long tells the speed well enough. */
const sampleMs = 1000

export async function checkSource(path: string, now: () => number, signal: AbortSignal): Promise<readonly Check[]> {
  const { sqlite } = await import('../../source/sqlite/sqlite-source.ts')
  const source = sqlite(path)
  await using snapshot = await source.openSnapshot({ signal })
  const { facts, validation, tablesBreakingForeignKeys } = await snapshot.inspect({
    validation: 'quick',
    rowCounts: false,
    signal,
  })
  const name = source.location
  const wal = facts.journalMode === 'wal'
  const size = formatBytes(facts.pageCount * facts.pageSize)
  return [
    ok(
      name,
      `can be read: ${size}, ${counted(facts.pageCount, 'page')} of ${formatBytes(facts.pageSize)}, ${facts.encoding}, ${counted(facts.tables.length, 'table')}`,
    ),
    validation.ok
      ? ok(name, 'quick_check and foreign keys ok')
      : warning(
          name,
          `fails its checks: ${findingsText(validation, tablesBreakingForeignKeys)}`,
          'It can still be backed up, with --allow-damaged.',
        ),
    wal
      ? ok(name, 'in WAL mode: backups never make writers wait')
      : note(
          name,
          'has a rollback journal: writers wait while it is copied. WAL mode would avoid that: PRAGMA journal_mode=WAL',
        ),
    await estimate(name, snapshot, now, signal),
    ...(wal
      ? [
          note(
            name,
            "which SQLite your application uses cannot be seen from here. Before 3.51.3 it has a bug (WAL reset) that can lose commits when two processes checkpoint; Holdfast's own is newer",
          ),
        ]
      : []),
  ]
}

function findingsText({ findings, foreignKeyViolations }: ValidationReport, tables: readonly string[] = []): string {
  const where = tables.length === 0 ? '' : ` in ${tables.slice(0, 3).join(', ')} (PRAGMA foreign_key_check lists them)`
  const foreign =
    foreignKeyViolations === 0 ? [] : [`${counted(foreignKeyViolations, 'foreign key violation')}${where}`]
  return [...findings.slice(0, 3), ...foreign].join('; ')
}

/** Reads for a moment, and concludes from that. */
async function estimate(
  name: string,
  snapshot: SourceSnapshot,
  now: () => number,
  signal: AbortSignal,
): Promise<Check> {
  const startedAt = now()
  let pages = 0
  for await (const batch of snapshot.pages({ signal })) {
    pages += batch.pages.length
    if (now() - startedAt >= sampleMs) break
  }
  const elapsed = Math.max(1, now() - startedAt)
  const perSecond = (pages * snapshot.pageSize * 1000) / elapsed
  const whole = pages === 0 ? elapsed : (elapsed * snapshot.pageCount) / pages
  return ok(
    name,
    `a full backup reads it in about ${formatDuration(whole)}, at ${formatBytes(perSecond)}/s; compressing and checking may double that`,
  )
}
