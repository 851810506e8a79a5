import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import type { LeaseDocument } from '../../src/repository/lease-document.ts'
import { currentProcess } from '../../src/util/process-identity.ts'

/** A lease on a database as a follower writes it: this process, unless the changes say otherwise. */
export async function plantLease(database: DatabaseRepository, changes: Partial<LeaseDocument>): Promise<void> {
  const document: LeaseDocument = {
    epoch: 3,
    released: false,
    lsn: 7,
    pending: null,
    nonce: 'abc',
    owner: currentProcess(),
    purpose: 'follow',
    acquiredAt: new Date(Date.now() - 60_000).toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    ...changes,
  }
  await writeDocument(database.storage, 'lease', leaseKey(database.name), document)
}
