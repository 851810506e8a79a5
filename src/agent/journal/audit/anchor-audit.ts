import { type AuditAnchor, putAuditAnchor } from '../../../repository/audit-anchor.ts'
import { markerKey } from '../../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../../storage/storage.ts'
import type { Journal } from '../journal.ts'
import type { Actor } from './actor.ts'

/** A chain that a process of such an age began is there to stay. */
const settledMs = 60 * 60_000

/**
 * Notes the head of the audit log in a repository, if there is one at that place. A log that this very process began is noted
 * only once it is an hour old: containers that keep no state would leave a note for each of their runs.
 * @returns a warning, if what is noted there is not this log any more
 * @throws STORAGE_*, DISK_FULL, INTEGRITY
 */
export async function anchorAudit(
  journal: Pick<Journal, 'auditState' | 'auditHash'>,
  storage: BackupStorage,
  { host, user }: Actor,
  now: number,
  options: OperationOptions = {},
): Promise<string | undefined> {
  const state = journal.auditState
  if (state === undefined) return undefined
  const { chain, createdAt, sequence, hash } = state.head
  if (state.isNew && now - createdAt < settledMs) return undefined
  if ((await storage.head(markerKey, options)) === undefined) return undefined
  const next: AuditAnchor = { chain, host, user, sequence, hash, time: new Date(now).toISOString() }
  const noted = await putAuditAnchor(
    storage,
    next,
    async (earlier) => {
      return earlier.hash === (await journal.auditHash(earlier.sequence))
    },
    options,
  )
  if (noted === 'noted') return undefined
  return 'The audit log of this machine is not the one that the repository remembers: entries were removed or changed. See "holdfast audit verify".'
}
