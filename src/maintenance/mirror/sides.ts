import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { BackupStorage, ObjectInfo, PutOptions, StorageCapabilities } from '../../storage/storage.ts'

/** Where a database is mirrored from, and to. */
export interface Sides {
  readonly source: DatabaseRepository
  readonly mirror: MirrorSide
}

/** A database on a mirror that may not be a whole repository yet. */
export interface MirrorSide {
  readonly storage: BackupStorage
  /** Of the database. */
  readonly name: string
  readonly repository: { readonly capabilities: StorageCapabilities }
}

/** To create an object, or to replace the one that is there. */
export function putCondition({ repository }: MirrorSide, replaced: Pick<ObjectInfo, 'etag'> | undefined): PutOptions {
  const { conditionalCreate, conditionalReplace } = repository.capabilities
  if (replaced !== undefined) return conditionalReplace ? { ifMatch: replaced.etag } : {}
  return conditionalCreate ? { ifAbsent: true } : {}
}
