/** What lies beside the databases: instructions for people, and the heads of audit logs. */
import { hasCode } from '../../errors.ts'
import { readAuditAnchors } from '../../repository/audit-anchor.ts'
import { readDocumentBytes, writeDocument } from '../../repository/documents.ts'
import { instructions } from '../../repository/instructions.ts'
import { auditAnchorKey } from '../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'

/**
 * Every program writes the same, so the source's need not be trusted; what differs on the mirror is damaged, or of another version.
 * @throws STORAGE_*, ABORTED
 */
export async function putInstructions(mirror: BackupStorage, options: OperationOptions): Promise<void> {
  try {
    for (const [key, text] of await instructions()) {
      const there = await readMirrorText(mirror, key, options)
      if (there === undefined || Buffer.compare(there, text) !== 0) await mirror.put(key, text, options)
    }
  } catch (error) {
    // Backups need what room there is more: these are in every copy of Holdfast too.
    if (!hasCode(error, 'DISK_FULL')) throw error
  }
}

/** Undefined for one that is not there, and for one that cannot be read: either is written anew. */
async function readMirrorText(
  mirror: BackupStorage,
  key: string,
  options: OperationOptions,
): Promise<Uint8Array | undefined> {
  try {
    return await readDocumentBytes(mirror, key, options)
  } catch (error) {
    if (hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) return undefined
    throw error
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
