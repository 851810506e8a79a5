import { toLsn } from '../history/lsn.ts'
import { planRestore } from '../history/plan.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { VerificationEntry, VerificationLedger } from '../repository/verification-ledger.ts'
import { isInFuture } from '../util/clock-margin.ts'
import type { Verified } from './json/schemas.ts'

/** The segments that lead to a backup, in order; undefined if one of them is missing. */
export function chainOf(catalog: Catalog, backup: BackupManifest): SegmentInfo[] | undefined {
  try {
    return planRestore(catalog.segments, toLsn(backup.lsn)).steps.map(({ segment }) => segment)
  } catch (error) {
    if (error instanceof UnreachableError) return undefined
    throw error
  }
}

/**
 * What the ledger knows of a backup: the newest bad news; else its last trial restore; else, if every segment that leads to it
 * was checked, the oldest of those checks.
 * @param now milliseconds since 1970
 */
export function verifiedOf(
  ledger: VerificationLedger,
  backup: BackupManifest,
  chain: readonly SegmentInfo[] | undefined,
  now: number,
): Verified {
  const restored = ledger.restores[backup.id]
  const checks = (chain ?? []).map(({ key }) => ledger.segments[key])
  const known = checks.filter((check) => check !== undefined)
  const failed = known.filter(({ ok }) => !ok).at(-1)
  const isOlder = ({ checkedAt }: VerificationEntry, than: VerificationEntry) =>
    checkedAt < than.checkedAt || isInFuture(checkedAt, now)
  if (failed !== undefined && (restored === undefined || isOlder(restored, failed))) return entry('data', failed)
  if (restored !== undefined) return entry('restore', restored)
  const [first, ...rest] = known
  if (first === undefined || known.length < checks.length) return null
  return entry(
    'data',
    rest.reduce((oldest, check) => (check.checkedAt < oldest.checkedAt ? check : oldest), first),
  )
}

function entry(level: 'data' | 'restore', { checkedAt, ok, problem }: VerificationEntry): Verified {
  return { level, time: checkedAt, ok, problem: problem === '' ? null : problem }
}
