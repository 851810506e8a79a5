/** What lies beside the databases: instructions for people, and the heads of audit logs. */
import { readAuditAnchors } from '../../repository/audit-anchor.ts'
import { writeDocument } from '../../repository/documents.ts'
import { auditAnchorKey, formatKey, recoveryKey } from '../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { collectBytes } from '../../util/bytes.ts'

/** They are for whoever has nothing else; a copy that was cut is replaced. */
export async function copyInstructions(
  source: BackupStorage,
  mirror: BackupStorage,
  options: OperationOptions,
): Promise<number> {
  let copied = 0
  for (const key of [recoveryKey, formatKey]) {
    const wanted = await source.head(key, options)
    if (wanted === undefined || (await mirror.head(key, options))?.size === wanted.size) continue
    await mirror.put(key, await collectBytes(source.get(key, options)), options)
    copied += 1
  }
  return copied
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
