import { writeDocument } from '../../../src/repository/documents.ts'
import { leaseKey } from '../../../src/repository/layout.ts'
import type { LeaseDocument } from '../../../src/repository/lease-document.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { currentProcess } from '../../../src/util/process-identity.ts'

/** A lease as a follower that is alive has it. @param part what else it says */
export async function putFollowLease(
  repository: Repository,
  database: string,
  part: Partial<LeaseDocument> = {},
): Promise<void> {
  const time = (at: number) => new Date(at).toISOString()
  await writeDocument(repository.storage, 'lease', leaseKey(database), {
    epoch: 1,
    released: false,
    lsn: 1,
    pending: null,
    nonce: 'abc',
    owner: currentProcess(),
    purpose: 'follow',
    acquiredAt: time(Date.now() - 60_000),
    expiresAt: time(Date.now() + 3_600_000),
    ...part,
  })
}
