/** What lies beside the databases: instructions for people, and the heads of audit logs. */
import { hasCode } from '../../errors.ts'
import { readAuditAnchors } from '../../repository/audit-anchor.ts'
import { writeDocument } from '../../repository/documents.ts'
import { putInstructions } from '../../repository/instructions.ts'
import { auditAnchorKey } from '../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'

/** Every program writes the same, so the source's need not be trusted. @throws STORAGE_*, ABORTED */
export async function keepInstructions(mirror: BackupStorage, options: OperationOptions): Promise<void> {
  try {
    await putInstructions(mirror, options)
  } catch (error) {
    // Backups need what room there is more: these are in every copy of Holdfast too.
    if (!hasCode(error, 'DISK_FULL')) throw error
  }
}

/** A head is only replaced by a later one: commands on the mirror note theirs there too. */
export async function copyAuditHeads(
  source: BackupStorage,
  mirror: BackupStorage,
  { dryRun, ...options }: OperationOptions & { readonly dryRun: boolean },
): Promise<number> {
  const { anchors } = await readAuditAnchors(source, options)
  const there = await readAuditAnchors(mirror, options)
  const known = new Map(there.anchors.map(({ chain, sequence }) => [chain, sequence]))
  const newer = anchors.filter(({ chain, sequence }) => sequence > (known.get(chain) ?? 0))
  if (!dryRun) for (const each of newer) await writeDocument(mirror, 'audit', auditAnchorKey(each.chain), each, options)
  return newer.length
}
