/** The chain that leads to a wanted state, opened and proved continuous, around damage where another way exists. */
import { HoldfastError, hasCode } from '../errors.ts'
import { estimateRestore } from '../history/estimate.ts'
import type { Lsn } from '../history/lsn.ts'
import { type Plan, planRestore } from '../history/plan.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { formatState } from '../history/state-checksum.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import type { Catalog } from '../repository/catalog.ts'
import { type Chain, openChain } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { restoreRates } from './rates.ts'
import type { RestorePlan } from './restore-options.ts'

export interface OpenedPlan {
  readonly plan: RestorePlan
  readonly chain: Chain
}

/** Segments found damaged, by key, with what was wrong; a plan goes around them where it can. */
export type Damage = Map<string, HoldfastError>

/** @throws NOT_RESTORABLE, INTEGRITY */
export async function openPlan(
  database: DatabaseRepository,
  catalog: Catalog,
  lsn: Lsn,
  damage: Damage,
  options: OperationOptions = {},
): Promise<OpenedPlan> {
  for (;;) {
    const usable = catalog.segments.filter(({ key }) => !damage.has(key))
    const chosen = planAround(catalog, usable, lsn, damage)
    try {
      const chain = await openChain(database, chosen, options)
      return { plan: describe(database, catalog, chosen, chain), chain }
    } catch (error) {
      if (!noteDamage(error, catalog, damage)) throw error
    }
  }
}

/** Whether the error is about one segment that is not known to be damaged yet. */
export function noteDamage(error: unknown, catalog: Catalog, damage: Damage): boolean {
  if (!hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT') || error.object === undefined || damage.has(error.object))
    return false
  if (!catalog.segments.some(({ key }) => key === error.object)) return false
  damage.set(error.object, error)
  return true
}

function planAround(catalog: Catalog, usable: readonly SegmentInfo[], lsn: Lsn, damage: Damage): Plan {
  try {
    return planRestore(usable, lsn)
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    throw unreachable(catalog, lsn, error, damage)
  }
}

function unreachable(catalog: Catalog, lsn: Lsn, error: UnreachableError, damage: Damage): HoldfastError {
  const [first] = damage.values()
  const backup = catalog.backups.find((candidate) => candidate.lsn === lsn)
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
  if (!present.has(backup.segment)) return backup.segment
  const parent = catalog.backups.find(({ id }) => id === backup.parent)
  return parent === undefined ? undefined : missingOf(catalog, parent, present)
}

function describe(database: DatabaseRepository, catalog: Catalog, plan: Plan, chain: Chain): RestorePlan {
  const { pageSize, pageCount, state, time } = chain
  const backup = catalog.backups.findLast(({ lsn }) => lsn === plan.target)
  if (backup !== undefined && backup.checksum !== formatState(state)) {
    throw new HoldfastError(
      'INTEGRITY',
      `Backup ${backup.id} promises the state ${backup.checksum}, but its segments lead to ${formatState(state)}.`,
      {
        object: chain.links.at(-1)?.segment.key,
        hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
      },
    )
  }
  return {
    database: database.name,
    lsn: plan.target,
    time,
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
    estimate: estimateRestore(plan, { databaseBytes: pageSize * pageCount }, restoreRates),
  }
}
