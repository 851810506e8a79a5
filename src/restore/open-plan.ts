/** The chain that leads to a wanted state, opened and proved continuous, around damage where another way exists. */
import { HoldfastError, hasCode } from '../errors.ts'
import { estimateRestore, type RestoreRates } from '../history/estimate.ts'
import type { Lsn } from '../history/lsn.ts'
import { pauseOf } from '../history/pause.ts'
import { type Plan, planRestore } from '../history/plan.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { formatState } from '../history/state-checksum.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import type { Catalog } from '../repository/catalog.ts'
import { type Chain, openChain } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { vanishedSegment } from './list-again.ts'
import { defaultRates } from './rates/default-rates.ts'
import type { ResolvedState } from './resolve-state.ts'
import type { RestorePlan } from './restore-options.ts'

export interface OpenedPlan {
  readonly plan: RestorePlan
  readonly chain: Chain
}

/** Segments found damaged, by key, with what was wrong; a plan goes around them where it can. */
export type Damage = Map<string, HoldfastError>

export interface PlanOptions extends OperationOptions {
  /** For the estimate; default: those of an ordinary machine. */
  readonly rates?: RestoreRates | undefined
  /** Throw what vanished since the listing as it is, instead of going around it; default false. */
  readonly mayListAgain?: boolean | undefined
}

/** @throws NOT_RESTORABLE, INTEGRITY */
export async function openPlan(
  database: DatabaseRepository,
  catalog: Catalog,
  wanted: ResolvedState,
  damage: Damage,
  { rates = defaultRates, mayListAgain = false, ...options }: PlanOptions = {},
): Promise<OpenedPlan> {
  const backup = wanted.backup ?? onlyPromise(catalog, wanted.lsn)
  for (;;) {
    const usable = catalog.segments.filter(({ key }) => !damage.has(key))
    const chosen = planAround(catalog, usable, { lsn: wanted.lsn, backup }, damage)
    try {
      const chain = await openChain(database, chosen, options)
      if (backup !== undefined) requirePromised(catalog, backup, chain)
      return { plan: describe(database, catalog, backup, chosen, chain, rates), chain }
    } catch (error) {
      if (!noteDamage(error, catalog, damage, mayListAgain)) throw error
    }
  }
}

/** Whether the error is about one segment that is not known to be damaged yet. With `mayListAgain`, one that vanished is not. */
export function noteDamage(error: unknown, catalog: Catalog, damage: Damage, mayListAgain = false): boolean {
  const vanished = vanishedSegment(error, catalog)
  if (vanished !== undefined && mayListAgain) return false
  const found = vanished ?? error
  if (!hasCode(found, 'INTEGRITY', 'STORAGE_CORRUPT') || found.object === undefined || damage.has(found.object))
    return false
  if (!catalog.segments.some(({ key }) => key === found.object)) return false
  damage.set(found.object, found)
  return true
}

/** The backup with that LSN, the newest if several are of one state. @throws INTEGRITY if they are of different ones */
function onlyPromise(catalog: Catalog, lsn: Lsn): BackupManifest | undefined {
  const backup = catalog.backups.findLast((candidate) => candidate.lsn === lsn)
  const rival = backup && rivalOf(catalog, backup)
  if (backup === undefined || rival === undefined) return backup
  throw new HoldfastError(
    'INTEGRITY',
    `The backups ${rival.id} and ${backup.id} of ${catalog.database} both have LSN ${lsn}, but hold different states.`,
    { object: backup.id, hint: 'Restore the one that you want by its id, with --backup.' },
  )
}

/** Another backup that says of the same LSN that it is another state. */
function rivalOf(catalog: Catalog, { lsn, checksum }: BackupManifest): BackupManifest | undefined {
  return catalog.backups.find((candidate) => candidate.lsn === lsn && candidate.checksum !== checksum)
}

function requirePromised(catalog: Catalog, backup: BackupManifest, chain: Chain): void {
  const found = formatState(chain.state)
  if (backup.checksum === found) return
  const rival = catalog.backups.find(({ lsn, checksum }) => lsn === backup.lsn && checksum === found)
  const whose = rival === undefined ? '' : `, which is that of backup ${rival.id}`
  throw new HoldfastError(
    'INTEGRITY',
    `Backup ${backup.id} promises the state ${backup.checksum}, but its segments lead to ${found}${whose}.`,
    {
      object: chain.links.at(-1)?.segment.key,
      hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
    },
  )
}

function planAround(catalog: Catalog, usable: readonly SegmentInfo[], wanted: ResolvedState, damage: Damage): Plan {
  try {
    return planRestore(usable, wanted.lsn)
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    throw unreachable(catalog, wanted, error, damage)
  }
}

function unreachable(
  catalog: Catalog,
  { lsn, backup }: ResolvedState,
  error: UnreachableError,
  damage: Damage,
): HoldfastError {
  const [first] = damage.values()
  const { nearestBefore, nearestAfter } = error
  const near = [nearestBefore, nearestAfter].flatMap((state) =>
    state === undefined ? [] : [`LSN ${state.lsn} of ${new Date(state.time).toISOString()}`],
  )
  const hint =
    near.length === 0
      ? 'No other state can be restored either.'
      : `The nearest states that can be restored: ${near.join(', ')}.`
  if (first !== undefined) {
    return new HoldfastError('INTEGRITY', `LSN ${lsn} of ${catalog.database} cannot be restored: ${first.message}`, {
      object: first.object,
      hint,
      cause: first,
    })
  }
  const present = new Set(catalog.segments.map(({ key }) => key))
  if (backup !== undefined) {
    const lost = missingOf(catalog, backup, present)
    return new HoldfastError(
      'INTEGRITY',
      `Backup ${backup.id} of ${catalog.database} cannot be restored: the segment ${lost ?? 'that leads to it'} is missing from the repository.`,
      {
        object: lost ?? backup.id,
        hint,
      },
    )
  }
  return new HoldfastError('NOT_RESTORABLE', `${catalog.database} has no restorable state with LSN ${lsn}.`, {
    object: catalog.database,
    hint,
    cause: error,
  })
}

/** The first segment on the way of parents from a backup down that is not there. */
function missingOf(catalog: Catalog, backup: BackupManifest, present: ReadonlySet<string>): string | undefined {
  if (backup.segment !== null && !present.has(backup.segment)) return backup.segment
  const parent = catalog.backups.find(({ id }) => id === backup.parent)
  return parent === undefined ? undefined : missingOf(catalog, parent, present)
}

function describe(
  database: DatabaseRepository,
  { pauses }: Catalog,
  backup: BackupManifest | undefined,
  plan: Plan,
  chain: Chain,
  rates: RestoreRates,
): RestorePlan {
  const { pageSize, pageCount, state, time } = chain
  return {
    database: database.name,
    lsn: plan.target,
    time,
    pause: pauseOf(pauses, plan.target),
    backup,
    steps: plan.steps.map(({ segment, upTo }) => ({
      key: segment.key,
      kind: segment.kind,
      from: segment.from,
      to: upTo,
      bytes: segment.bytes,
    })),
    pageSize,
    pageCount,
    checksum: formatState(state),
    estimate: estimateRestore(plan, { databaseBytes: pageSize * pageCount }, rates),
  }
}
