import { assertListed } from '../../backup/delete-backup.ts'
import { settlePending, underLease } from '../../backup/under-lease.ts'
import { HoldfastError } from '../../errors.ts'
import { decideRetention } from '../../history/decide-retention.ts'
import type { StatesToKeep } from '../../history/plan-maintenance.ts'
import { isReachable, latestPoint, reachableLsns } from '../../history/reachable.ts'
import type { DropRule, KeepReason, RetentionPolicy } from '../../history/retention.ts'
import { windowRange } from '../../history/window-range.ts'
import { acknowledgedSegments } from '../../repository/acknowledged.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { requirePins } from '../../repository/known-pins.ts'
import type { Lease } from '../../repository/lease.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import { type RetentionRecord, readRetention } from '../../repository/retention-record.ts'
import { readLedger, type VerificationLedger } from '../../repository/verification-ledger.ts'
import { planFor, planned } from '../upkeep/carry-out.ts'
import { disposalReport, dispose, planDisposal } from '../upkeep/dispose.ts'
import { forgettableRecords } from '../upkeep/forgettable-records.ts'
import { mergeInRoom } from '../upkeep/make-room.ts'
import { refuseKnownDamage, refuseLoss, refuseProblems, refuseUnreadable } from '../upkeep/refuse-damage.ts'
import { ownBases, withPending } from '../upkeep/states-to-keep.ts'
import type { UpkeepOptions, UpkeepReport } from '../upkeep/upkeep-options.ts'
import { backupsToJudge } from './retention-backups.ts'
import { retentionPolicy } from './retention-policy.ts'

export interface KeptBackup {
  readonly backup: BackupManifest
  readonly reasons: readonly KeepReason[]
}

export interface DroppedBackup {
  readonly backup: BackupManifest
  readonly rule: DropRule
}

export interface ExpireReport extends UpkeepReport {
  /** With the defaults filled in. */
  readonly policy: RetentionPolicy
  /** Oldest first, as `drop`. */
  readonly keep: readonly KeptBackup[]
  readonly drop: readonly DroppedBackup[]
}

/**
 * Applies a retention policy: lets go of the backups that it does not keep, makes deltas of the logs that are older than its window,
 * and deletes in two steps what nothing needs any more. What is kept stays restorable, byte for byte, at every moment; an interrupted
 * run is completed by the next.
 *
 * While anything is unreadable, missing or known to be damaged, it deletes nothing, and says what it is.
 *
 * @param policy default: 7 daily, 4 weekly, 12 monthly, 7 yearly, at most 100 in all, every commit of 7 days
 * @throws USAGE for a senseless policy; INTEGRITY, FORMAT_TOO_NEW, LEASE_HELD, LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED
 */
export async function expireDatabase(
  database: DatabaseRepository,
  policy?: RetentionPolicy,
  options: UpkeepOptions = {},
): Promise<ExpireReport> {
  const checked = retentionPolicy(policy)
  if (options.dryRun === true) return await planExpiry(database, checked, options)
  return await underLease(database, 'expire', options, async (lease, signal) => {
    for (;;) {
      const report = await expire(database, checked, lease, { ...options, signal })
      if (report !== undefined) return report
    }
  })
}

interface Judged {
  readonly catalog: Catalog
  readonly ledger: VerificationLedger
  readonly record: RetentionRecord
  readonly keep: readonly KeptBackup[]
  readonly drop: readonly DroppedBackup[]
  readonly states: StatesToKeep
}

async function judge(
  database: DatabaseRepository,
  policy: RetentionPolicy,
  now: number,
  { signal }: UpkeepOptions,
): Promise<Judged> {
  const catalog = await database.catalog({ signal })
  refuseProblems(catalog)
  const ledger = await readLedger(database, { strict: true, signal })
  const record = await readRetention(database, { signal })
  requirePins(database, ledger, record)
  const decision = decideRetention(backupsToJudge(catalog, ledger, record), policy, now)
  const keep = decision.keep.map(({ backup: { manifest }, reasons }) => ({ backup: manifest, reasons }))
  const drop = decision.drop.map(({ backup: { manifest }, rule }) => ({ backup: manifest, rule }))
  const kept = decision.keep.map(({ backup }) => backup)
  requireReachable(catalog, kept)
  const promised = latestPoint(acknowledgedSegments(catalog))
  const states = {
    lsns: [...kept.map(({ lsn }) => lsn), ...(promised === undefined ? [] : [promised.lsn])],
    // What a backup left that was interrupted passes for the newest state of all, and must not do so instead of one that was promised. That
    // one's log stays a log: a delta in its place would not tell that it was promised.
    ranges: [
      windowRange(catalog.segments, now - (policy.window ?? 0)),
      ...(promised === undefined ? [] : [{ first: promised.lsn, last: promised.lsn }]),
    ],
    segments: ownBases(kept.map(({ manifest }) => manifest)),
  }
  return { catalog, ledger, record, keep, drop, states }
}

function requireReachable({ segments }: Catalog, kept: ReturnType<typeof backupsToJudge>): void {
  const reachable = reachableLsns(segments)
  const missing = kept.find(({ lsn }) => !isReachable(reachable, lsn))
  if (missing === undefined) return
  throw new HoldfastError(
    'INTEGRITY',
    `Nothing is deleted while a backup that is to be kept cannot be restored: ${missing.id}, LSN ${missing.lsn}.`,
    {
      object: missing.id,
      hint: 'Run "holdfast verify" to see what is missing; bring it back from a copy, or delete that backup.',
    },
  )
}

async function planExpiry(
  database: DatabaseRepository,
  policy: RetentionPolicy,
  options: UpkeepOptions,
): Promise<ExpireReport> {
  const now = options.now ?? Date.now()
  const { catalog, record, keep, drop, states } = await judge(database, policy, now, options)
  const { segments } = catalog
  const plan = planFor(segments, states, options.limits)
  const disposal = planDisposal(record, { segments, plan }, { ...options, now })
  const merged = plan.merges.map(planned)
  const report = disposalReport(disposal, { ...options, now })
  return { database: database.name, dryRun: true, policy, keep, drop, merged, ...report }
}

/** Undefined if a backup that was to go was pinned meanwhile: then all is to be decided anew. */
async function expire(
  database: DatabaseRepository,
  policy: RetentionPolicy,
  lease: Lease,
  options: UpkeepOptions,
): Promise<ExpireReport | undefined> {
  const { signal, onProgress, now = Date.now() } = options
  const { catalog, ledger, keep, drop, states: judged } = await judge(database, policy, now, options)
  const states = withPending(judged, lease)
  assertListed(database, catalog, lease)
  const total = catalog.segments.length
  const onRead = (done: number) => onProgress?.({ phase: 'check', done, total, unit: 'objects' })
  await refuseUnreadable(database, catalog.segments, { signal, onRead })
  const kept = keep.map(({ backup }) => backup)
  const work = { states, drop: drop.map(({ backup }) => backup), kept, ledger }
  const done = await mergeInRoom(database, lease, catalog.segments, work, { ...options, now })
  if (done === undefined) return undefined
  const { segments, merged, plan, early } = done
  const going = new Set(plan.deletions.map(({ key }) => key))
  const remaining = segments.filter(({ key }) => !going.has(key))
  refuseKnownDamage(remaining, ledger)
  if (going.size > 0) await refuseLoss(database, remaining, kept, { signal })
  await settlePending(lease, catalog)
  const what = {
    segments,
    plan,
    drop: early.dropped ? [] : work.drop,
    records: Object.values(
      forgettableRecords(catalog, { staying: remaining, present: segments }, states.ranges),
    ).flat(),
    kept,
  }
  const disposal = await dispose(database, lease, what, { ...options, now })
  if (disposal === undefined) return undefined
  const deleted = [...early.deleted, ...disposal.deleted]
  const report = disposalReport({ ...disposal, deleted }, { ...options, now })
  return { database: database.name, dryRun: false, policy, keep, drop, merged, ...report }
}
