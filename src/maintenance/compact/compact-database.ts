import { assertListed } from '../../backup/delete-backup.ts'
import { settlePending, underLease } from '../../backup/under-lease.ts'
import { type HoldfastError, hasCode } from '../../errors.ts'
import { toLsn } from '../../history/lsn.ts'
import type { StatesToKeep } from '../../history/plan-maintenance.ts'
import { reachedSegments } from '../../history/reachable.ts'
import { planRollUp, type RollUpOptions } from '../../history/roll-up.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import { outOfTrash, type RetentionRecord, readRetention } from '../../repository/retention-record.ts'
import { readLedger } from '../../repository/verification-ledger.ts'
import { type RollUpResult, rollUpLogs } from '../roll-up/roll-up-logs.ts'
import { mergeAll, planFor, planned } from '../upkeep/carry-out.ts'
import { disposalReport, dispose, planDisposal } from '../upkeep/dispose.ts'
import { makeRoom } from '../upkeep/make-room.ts'
import { refuseKnownDamage, refuseLoss, refuseProblems, refuseUnreadable } from '../upkeep/refuse-damage.ts'
import { ownBases, withPending } from '../upkeep/states-to-keep.ts'
import type { DeletedSegment, MergedSegment, UpkeepOptions, UpkeepReport } from '../upkeep/upkeep-options.ts'

export interface CompactOptions extends UpkeepOptions {
  readonly rollUp?: RollUpOptions | undefined
}

export interface CompactReport extends UpkeepReport {
  /** Small logs that were merged into larger ones, every commit still addressable, or that would be; and into how many. */
  readonly logs: { readonly replaced: number; readonly merged: number }
}

/**
 * Makes a database cheaper to list and restore, and loses no restore point: small logs become larger ones, long chains get shorter, and
 * what a takeover of the lease made void, or an earlier run found unneeded, is deleted when its time of grace has passed.
 * @throws INTEGRITY, FORMAT_TOO_NEW, LEASE_HELD, LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED
 */
export async function compactDatabase(
  database: DatabaseRepository,
  options: CompactOptions = {},
): Promise<CompactReport> {
  if (options.dryRun === true) return await planCompaction(database, options)
  return await underLease(database, 'compact', options, async (lease, signal) => {
    const made: Made = { logs: { replaced: 0, merged: 0 }, merged: [] }
    try {
      return await compact(database, lease, { ...options, signal }, made)
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) throw error
      const deleted = await freeRoom(database, lease, error, { ...options, signal })
      const report = await compact(database, lease, { ...options, signal }, made)
      const bytes = deleted.reduce((sum, segment) => sum + segment.bytes, 0)
      return { ...report, deleted: [...deleted, ...report.deleted], freedBytes: bytes + report.freedBytes }
    }
  })
}

/** What was made, also by an attempt that found no room for the rest. */
interface Made {
  readonly logs: RollUpResult
  readonly merged: MergedSegment[]
}

/** What is due goes before anything is merged. @throws DISK_FULL if nothing is; INTEGRITY, LEASE_LOST, STORAGE_*, ABORTED */
async function freeRoom(
  database: DatabaseRepository,
  lease: Lease,
  noRoom: HoldfastError,
  options: CompactOptions,
): Promise<readonly DeletedSegment[]> {
  const { signal, now = Date.now() } = options
  const catalog = await database.catalog({ signal })
  refuseProblems(catalog)
  const ledger = await readLedger(database, { strict: true, signal })
  const states = withPending(everything(catalog, await readRetention(database, { signal })), lease)
  const needs = { states, drop: [], kept: catalog.backups, ledger }
  const room = await makeRoom(database, lease, needs, noRoom, { ...options, now })
  return (room?.deleted ?? []).map(({ key, bytes }) => ({ key, bytes }))
}

/**
 * Every state that a segment leads to which is not in the trash. Where it begins counts too, even if only the trash leads there by now:
 * what was stored on top of a state after that was let go is nobody's to let go here.
 */
function everything({ segments, backups }: Catalog, { trash }: RetentionRecord): StatesToKeep {
  const lsns = backups.map(({ lsn }) => toLsn(lsn))
  const ranges = reachedSegments(segments).flatMap(({ segment, upTo }) => {
    if (trash[segment.key] !== undefined) return []
    return [{ first: segment.kind === 'log' ? toLsn(segment.from + 1) : upTo, last: upTo }]
  })
  return { lsns, ranges, segments: ownBases(backups) }
}

async function planCompaction(database: DatabaseRepository, options: CompactOptions): Promise<CompactReport> {
  const { signal, now = Date.now() } = options
  const catalog = await database.catalog({ signal })
  refuseProblems(catalog)
  const record = await readRetention(database, { signal })
  const { segments } = catalog
  const { merges, covered } = planRollUp(outOfTrash(segments, record), catalog.gaps, options.rollUp)
  const plan = planFor(segments, everything(catalog, record), options.limits)
  const disposal = planDisposal(record, { segments, plan }, { ...options, now })
  return {
    database: database.name,
    dryRun: true,
    logs: { replaced: covered.length + merges.reduce((sum, run) => sum + run.length, 0), merged: merges.length },
    merged: plan.merges.map(planned),
    ...disposalReport(disposal, { ...options, now }),
  }
}

/** @param made to which is added what it makes, also if it fails */
async function compact(
  database: DatabaseRepository,
  lease: Lease,
  options: CompactOptions,
  made: Made,
): Promise<CompactReport> {
  const { signal, onProgress, level, now = Date.now() } = options
  const listed = await database.catalog({ signal })
  refuseProblems(listed)
  assertListed(database, listed, lease)
  const total = listed.segments.length
  const onRead = (done: number) => onProgress?.({ phase: 'check', done, total, unit: 'objects' })
  await refuseUnreadable(database, listed.segments, { signal, onRead })
  const ledger = await readLedger(database, { strict: true, signal })
  const logs = await rollUpLogs(database, { ...options.rollUp, level, signal }, made.logs)
  const catalog = logs.merged + logs.replaced === 0 ? listed : await database.catalog({ signal })
  const states = withPending(everything(catalog, await readRetention(database, { signal })), lease)
  const { segments, merged, plan } = await mergeAll(database, lease, catalog.segments, states, options, made.merged)
  const going = new Set(plan.deletions.map(({ key }) => key))
  const remaining = segments.filter(({ key }) => !going.has(key))
  if (going.size > 0) {
    refuseKnownDamage(remaining, ledger)
    await refuseLoss(database, remaining, catalog.backups, { signal })
  }
  await settlePending(lease, catalog)
  const disposal = (await dispose(
    database,
    lease,
    { segments, plan, drop: [], records: [], kept: catalog.backups },
    { ...options, now },
  )) ?? {
    deleted: [],
    waiting: [],
  }
  return {
    database: database.name,
    dryRun: false,
    logs,
    merged,
    ...disposalReport(disposal, { ...options, now }),
  }
}
