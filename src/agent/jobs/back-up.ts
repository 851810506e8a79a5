import type { BackupResult, CreateBackupOptions } from '../../backup/backup-options.ts'
import { ManagedDatabase } from '../../backup/managed-database.ts'
import { sqlite } from '../../backup/sqlite-database.ts'
import { backUpThroughFollower } from '../../capture/control/back-up-through-follower.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { BackupType } from '../../repository/manifest.ts'
import type { Repository } from '../../repository/repository.ts'
import type { DatabaseConfig } from '../config/config.ts'
import { unnamedIn } from '../discovery/unnamed-in.ts'
import { inTurn, type PlaceInLine, type Waiting } from './in-turn.ts'
import { requireOwnHistory } from './require-own-history.ts'

export interface DatabaseToBackUp {
  /** Name in the repository. */
  readonly name: string
  readonly path: string
  readonly config: DatabaseConfig
}

export interface BackUpOptions extends Pick<PlaceInLine, 'followed' | 'isWorker'> {
  readonly type: BackupType
  /** Of a snapshot. */
  readonly snapshotName?: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly waiting: Waiting
  readonly signal: AbortSignal
}

/**
 * A backup as the configuration says: by whoever of this machine follows the database, or by an engine process of its own. An incremental
 * one of a database that has no backup yet is a full one.
 * @throws BackupError and what its causes are; NAME_TAKEN, LEASE_HELD, NOT_RUNNING, ENGINE_DIED, ABORTED
 */
export async function backUp(
  repository: Repository,
  link: StorageLink,
  wanted: DatabaseToBackUp,
  { type, snapshotName, tags, followed, isWorker, waiting, signal }: BackUpOptions,
): Promise<BackupResult> {
  const { name, path, config } = wanted
  const { codec, level } = config.compression
  const request = {
    name: snapshotName,
    tags: { ...config.tags, ...tags },
    validation: config.validation,
    codec,
    level,
  }
  const database = repository.database(name)
  const context = { repository, link, engine: undefined, unnamedIn: unnamedIn(config) }
  const managed = new ManagedDatabase({ source: sqlite(path), database: name }, context)
  const alone = async (): Promise<BackupResult> => {
    // A backup alone takes the number that the first of them has.
    const follower = followed()
    if (follower !== undefined && !(await follower.hasEmptySpool())) throw mustBeFollowed(name, follower.facts.error)
    const once = (options: Pick<CreateBackupOptions, 'type'>) => managed.backUp({ ...request, ...options, signal })
    try {
      return await once({ type })
    } catch (error) {
      if (type !== 'incremental' || !hasCode(error, 'BACKUP_NOT_FOUND')) throw error
      return await once({ type: 'full' })
    }
  }
  // Whoever has the name may hold its lease for good.
  await requireOwnHistory(repository, wanted, signal)
  return await inTurn(
    { database, followed, isWorker },
    async (turn) => {
      switch (turn.by) {
        case 'us':
          return await turn.followed.backUp({ ...request, type }, { signal })
        case 'another':
          return await backUpThroughFollower(turn.socket, { database, location: path }, { ...request, type, signal })
        case 'nobody':
          return await alone()
      }
    },
    waiting,
    signal,
  )
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
