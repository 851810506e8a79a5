import type { BackupResult, CreateBackupOptions } from '../../backup/backup-options.ts'
import { ManagedDatabase } from '../../backup/managed-database.ts'
import { sqlite } from '../../backup/sqlite-database.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { BackupType } from '../../repository/manifest.ts'
import type { Repository } from '../../repository/repository.ts'
import type { DatabaseConfig } from '../config/config.ts'
import type { FollowedDatabase } from '../follow/followed-database.ts'

export interface DatabaseToBackUp {
  /** Name in the repository. */
  readonly name: string
  readonly path: string
  readonly config: DatabaseConfig
  readonly followed: FollowedDatabase | undefined
}

export interface BackUpOptions {
  readonly type: BackupType
  /** Of a snapshot. */
  readonly snapshotName?: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Where somebody else is at work on the same database, as a command that was started by hand, its end is waited for. */
const leaseWaitMs = 10 * 60_000
/**
 * A follower that died is back soon, and then no commit is lost; what a backup alone takes meanwhile is one step, in which they are not to be
 * told apart.
 */
export const followPatienceMs = 2 * 60_000
/** Where that may be our own follower. */
const retryLeaseWaitMs = 20_000

/**
 * A backup as the configuration says: by the follower, where the database is followed, or by an engine process of its own. An incremental
 * one of a database that has no backup yet is a full one.
 * @throws BackupError and what its causes are; ENGINE_DIED, ABORTED
 */
export async function backUp(
  repository: Repository,
  link: StorageLink,
  database: DatabaseToBackUp,
  { type, snapshotName, tags, signal }: BackUpOptions,
): Promise<BackupResult> {
  const { name, path, config, followed } = database
  const { codec, level } = config.compression
  const request = {
    name: snapshotName,
    tags: { ...config.tags, ...tags },
    validation: config.validation,
    codec,
    level,
  }
  const managed = new ManagedDatabase({ source: sqlite(path), database: name }, { repository, link, engine: undefined })
  const alone = async (waitMs: number): Promise<BackupResult> => {
    const once = (options: Pick<CreateBackupOptions, 'type'>) =>
      managed.backUp({ ...request, ...options, leaseWaitMs: waitMs, signal })
    try {
      return await once({ type })
    } catch (error) {
      if (type !== 'incremental' || !hasCode(error, 'BACKUP_NOT_FOUND')) throw error
      return await once({ type: 'full' })
    }
  }
  if (followed === undefined) return await alone(leaseWaitMs)
  for (;;) {
    if (await followed.isFollowedWithin(followPatienceMs, signal))
      return await followed.backUp({ ...request, type }, { signal })
    // A backup alone takes the number that the first of them has.
    if (!(await followed.hasEmptySpool())) throw mustBeFollowed(name, followed.facts.error)
    try {
      return await alone(retryLeaseWaitMs)
    } catch (error) {
      // Its follower may have come back and taken the lease.
      if (!hasCode(error, 'LEASE_HELD') || !(await followed.isFollowedWithin(0, signal))) throw error
    }
  }
}

function mustBeFollowed(name: string, cause: HoldfastError | undefined): HoldfastError {
  const reason = cause === undefined ? '' : ` ${cause.message}`
  return new HoldfastError(
    'NOT_RUNNING',
    `${name} cannot be followed at the moment, and commits of it wait here.${reason}`,
    {
      object: name,
      cause,
      hint: 'Put that right first: they are uploaded when it is followed again.',
    },
  )
}
