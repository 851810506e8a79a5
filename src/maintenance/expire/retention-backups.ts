import { toLsn } from '../../history/lsn.ts'
import { planRestore } from '../../history/plan.ts'
import type { RetentionBackup } from '../../history/retention.ts'
import { UnreachableError } from '../../history/unreachable-error.ts'
import { type Catalog, isSound } from '../../repository/catalog.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import { type RetentionRecord, withPin } from '../../repository/retention-record.ts'
import type { VerificationLedger } from '../../repository/verification-ledger.ts'

/** A backup as retention sees it. */
export interface BackupToJudge extends RetentionBackup {
  readonly manifest: BackupManifest
}

export function backupsToJudge(catalog: Catalog, ledger: VerificationLedger, record: RetentionRecord): BackupToJudge[] {
  return catalog.backups.map((listed) => {
    const manifest = withPin(listed, record)
    return {
      manifest,
      id: manifest.id,
      lsn: toLsn(manifest.lsn),
      time: Date.parse(manifest.capturedAt),
      pinned: manifest.pinned,
      verified: isVerified(catalog, ledger, manifest),
      health: manifest.damaged ? 'damaged' : isSound(manifest) ? 'sound' : 'unchecked',
    }
  })
}

/** By a trial restore, or because every segment that leads to it was read and found whole. */
function isVerified({ segments }: Catalog, ledger: VerificationLedger, { id, lsn }: BackupManifest): boolean {
  const restored = ledger.restores[id]
  if (restored !== undefined) return restored.ok
  if (Object.keys(ledger.segments).length === 0) return false
  try {
    return planRestore(segments, toLsn(lsn)).steps.every(({ segment }) => ledger.segments[segment.key]?.ok === true)
  } catch (error) {
    if (error instanceof UnreachableError) return false
    throw error
  }
}
