import { isExpectedGap } from '../../capture/gap-reasons.ts'
import type { Catalog } from '../../repository/catalog.ts'
import { type DrillRecord, readDrills } from '../../repository/drill-record.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import type { Repository } from '../../repository/repository.ts'
import { readLedger, type VerificationEntry, type VerificationLedger } from '../../repository/verification-ledger.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { backupFigures } from './backup-figures.ts'
import type { FoundOperation, Journal } from './journal.ts'
import { backupOrigin } from './operation-rows.ts'

export interface Rebuilt {
  /** Operations that were not known before. */
  readonly added: number
  /** Objects that could not be read, and so tell of nothing. */
  readonly problems: readonly { readonly key: string; readonly problem: string }[]
}

/**
 * Brings back the operations that a repository tells of: its backups, the gaps of its followed databases, what was verified, and drills. It
 * can be repeated; what is known already stays as it is.
 * @throws STORAGE_*, and what {@link Journal.merge} throws
 */
export async function rebuildJournal(
  journal: Pick<Journal, 'merge'>,
  repository: Repository,
  options: OperationOptions = {},
): Promise<Rebuilt> {
  const found: FoundOperation[] = []
  const problems: { key: string; problem: string }[] = []
  for (const name of await repository.databaseNames(options)) {
    const database = repository.database(name)
    const catalog = await database.catalog(options)
    problems.push(...catalog.problems)
    found.push(...operationsOf(catalog, await readLedger(database, options)))
    found.push(...(await readDrills(database, options)).map((drill) => drillOperation(name, drill)))
  }
  return { added: await journal.merge(repository.url, found), problems }
}

/** What a database's part of a repository tells of. */
export function operationsOf({ database, backups, gaps }: Catalog, ledger: VerificationLedger): FoundOperation[] {
  return [
    ...backups.map(backupOperation),
    ...gaps.map(({ fromLsn, toLsn, fromTime, toTime, reason }): FoundOperation => {
      return {
        origin: `gap ${database} ${fromLsn}-${toLsn}`,
        operation: {
          kind: 'follow',
          database,
          trigger: 'manual',
          startedAt: fromTime,
          endedAt: toTime,
          // That it was not followed before it was is no news.
          outcome: isExpectedGap(reason) ? 'succeeded' : 'warning',
          message: `A gap: ${reason}.`,
          figures: { gaps: 1 },
        },
      }
    }),
    ...Object.entries(ledger.restores).map(([backupId, entry]) => restoreCheck(database, backupId, entry)),
    ...dataChecks(database, Object.values(ledger.segments)),
  ]
}

function backupOperation(manifest: BackupManifest): FoundOperation {
  const { id, database, type, createdAt, durationMs, damaged } = manifest
  const endedAt = Date.parse(createdAt)
  return {
    origin: backupOrigin(id),
    operation: {
      kind: 'backup',
      database,
      type,
      trigger: 'manual',
      startedAt: Math.round(endedAt - durationMs),
      endedAt,
      outcome: damaged ? 'warning' : 'succeeded',
      message: damaged ? 'The database failed its checks; the backup is marked as damaged.' : undefined,
      backupId: id,
      figures: backupFigures(manifest),
    },
  }
}

function restoreCheck(
  database: string,
  backupId: string,
  { checkedAt, ok, problem }: VerificationEntry,
): FoundOperation {
  const time = Date.parse(checkedAt)
  return {
    origin: `verify restore ${database} ${backupId} ${checkedAt}`,
    operation: {
      kind: 'verify',
      database,
      type: 'restore',
      trigger: 'manual',
      startedAt: time,
      endedAt: time,
      outcome: ok ? 'succeeded' : 'failed',
      code: ok ? undefined : 'INTEGRITY',
      message: problem === '' ? undefined : problem,
      backupId,
      figures: { restores: 1 },
    },
  }
}

/** How long it took in all is not told; only the recovery was measured. */
export function drillOperation(database: string, drill: DrillRecord): FoundOperation {
  const { drilledAt, verdict, reasons, lsn, backup, recoveryMs } = drill
  const startedAt = Date.parse(drilledAt)
  return {
    origin: `drill ${database} ${drilledAt}`,
    operation: {
      kind: 'drill',
      database,
      trigger: 'manual',
      startedAt,
      endedAt: Math.round(startedAt + (recoveryMs ?? 0)),
      outcome: verdict === 'passed' ? 'succeeded' : verdict,
      message: reasons.length === 0 ? undefined : reasons.join(' '),
      backupId: backup ?? undefined,
      figures: { ...(lsn === null ? {} : { lsn }), ...(recoveryMs === null ? {} : { recoveryMs }) },
    },
  }
}

/** Checks that lie no further apart than this are of one verification. */
const pauseMs = 10 * 60_000

function dataChecks(database: string, entries: readonly VerificationEntry[]): FoundOperation[] {
  const runs: VerificationEntry[][] = []
  for (const entry of entries.toSorted((a, b) => a.checkedAt.localeCompare(b.checkedAt))) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run === undefined || last === undefined || Date.parse(entry.checkedAt) - Date.parse(last.checkedAt) > pauseMs)
      runs.push([entry])
    else run.push(entry)
  }
  return runs.flatMap((run) => dataCheck(database, run))
}

function dataCheck(database: string, run: readonly VerificationEntry[]): FoundOperation[] {
  const [first] = run
  const last = run.at(-1)
  if (first === undefined || last === undefined) return []
  const [bad, ...others] = run.filter(({ ok }) => !ok)
  return [
    {
      origin: `verify data ${database} ${first.checkedAt}`,
      operation: {
        kind: 'verify',
        database,
        type: 'data',
        trigger: 'manual',
        startedAt: Date.parse(first.checkedAt),
        endedAt: Date.parse(last.checkedAt),
        outcome: bad === undefined ? 'succeeded' : 'failed',
        code: bad === undefined ? undefined : 'INTEGRITY',
        message: bad?.problem,
        figures: { segments: run.length, findings: bad === undefined ? 0 : 1 + others.length },
      },
    },
  ]
}
