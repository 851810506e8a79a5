/**
 * The head of somebody's audit log, noted in the repository: who cuts off or rewrites the log where it is kept cannot do so here
 * with the same hand. One document for each log, replaced by compare-and-swap.
 */
import { z } from 'zod'
import { hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { readDocument } from './documents.ts'
import { auditAnchorKey, auditPrefix } from './layout.ts'
import { replaceDocument } from './replace-document.ts'

const anchor = z.strictObject({
  /** Id of the log: a UUID. */
  chain: z.uuid(),
  host: z.string(),
  user: z.string(),
  /** Number and SHA-256 of the newest entry. */
  sequence: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601. */
  time: z.iso.datetime({ precision: 3 }),
})
export type AuditAnchor = z.infer<typeof anchor>

/** Every anchor that can be read, and what is wrong with the others. */
export async function readAuditAnchors(
  storage: BackupStorage,
  options: OperationOptions = {},
): Promise<{ anchors: AuditAnchor[]; problems: { key: string; problem: string }[] }> {
  const anchors: AuditAnchor[] = []
  const problems: { key: string; problem: string }[] = []
  for await (const { key } of storage.list(auditPrefix, options)) {
    if (!key.endsWith('.json')) continue
    try {
      const found = await readDocument(storage, 'audit', anchor, key, options)
      if (found !== undefined) anchors.push(found)
    } catch (error) {
      if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
      problems.push({ key, problem: error.message })
    }
  }
  return { anchors, problems }
}

/**
 * Notes the head of a log, unless a later one is noted already. One that contradicts the log stays, as the evidence that it is.
 * @param agrees whether the log still has what an earlier anchor says
 * @returns `contradicted` if the log is not the one that was noted here
 * @throws STORAGE_*, DISK_FULL, INTEGRITY if the anchor that is there cannot be read
 */
export async function putAuditAnchor(
  storage: BackupStorage,
  next: AuditAnchor,
  agrees: (earlier: AuditAnchor) => Promise<boolean>,
  options: OperationOptions = {},
): Promise<'noted' | 'contradicted'> {
  const key = auditAnchorKey(next.chain)
  let result: 'noted' | 'contradicted' = 'noted'
  const replacement = async () => {
    const earlier = await readDocument(storage, 'audit', anchor, key, options)
    if (earlier === undefined) return next
    result = (await agrees(earlier)) ? 'noted' : 'contradicted'
    return result === 'contradicted' || earlier.sequence >= next.sequence ? undefined : next
  }
  await replaceDocument({ storage, repository: storage }, 'audit', key, replacement, options)
  return result
}
