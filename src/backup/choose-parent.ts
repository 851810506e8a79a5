import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { planRestore } from '../history/plan.ts'
import { latestPoint } from '../history/reachable.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import { type Chain, openChain } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { type PageHashes, readPageHashes } from '../repository/page-hashes.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { CreateBackupOptions } from './backup-options.ts'

/** The state that an incremental backup builds on. */
export interface Parent {
  /** The backup that was named, or the newest: its state, or one that was captured since. */
  readonly backup: BackupManifest
  readonly lsn: Lsn
  readonly chain: Chain
  readonly pages: PageHashes
}

/**
 * Undefined for a backup that stores everything. A parent that the user named must be sound; one chosen here that turns out
 * damaged is replaced by a full backup, with a warning: the database must not stay unprotected because an old object broke.
 * @throws BACKUP_NOT_FOUND, INTEGRITY
 */
export async function chooseParent(
  database: DatabaseRepository,
  catalog: Catalog,
  options: CreateBackupOptions,
  warn: (warning: string) => void,
): Promise<Parent | undefined> {
  if (options.type === 'full') {
    if (options.parent !== undefined)
      throw new HoldfastError('USAGE', 'A full backup has no parent.', {
        hint: 'Leave --parent out, or make an incremental backup.',
      })
    return undefined
  }
  if (options.parent !== undefined)
    return openParent(database, catalog, await namedParent(database, catalog, options.parent), undefined, options)
  const newest = catalog.backups.at(-1)
  if (newest === undefined) {
    if (options.type === 'snapshot') return undefined
    throw new HoldfastError(
      'BACKUP_NOT_FOUND',
      `${database.name} has no backup yet that an incremental one could build on.`,
      {
        object: database.name,
        hint: 'Make a full backup first: --type full.',
      },
    )
  }
  try {
    const parent = await openParent(database, catalog, newest, latestPoint(acknowledgedSegments(catalog))?.lsn, options)
    await refuseKnownDamage(database, parent, options)
    return parent
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) throw error
    warn(`The newest backup, ${newest.id}, cannot be built on, so everything is stored anew. ${error.message}`)
    return undefined
  }
}

/** An index can be sound while the pages behind it are not: verification may have found that out. @throws INTEGRITY */
async function refuseKnownDamage(
  database: DatabaseRepository,
  { chain }: Parent,
  options: OperationOptions,
): Promise<void> {
  const { segments } = await readLedger(database, { signal: options.signal })
  for (const { segment } of chain.links) {
    const found = segments[segment.key]
    if (found?.ok !== false) continue
    throw new HoldfastError('INTEGRITY', `Verification found damage at ${found.checkedAt}: ${found.problem}`, {
      object: segment.key,
    })
  }
}

async function openParent(
  database: DatabaseRepository,
  catalog: Catalog,
  backup: BackupManifest,
  newestLsn: Lsn | undefined,
  options: CreateBackupOptions,
): Promise<Parent> {
  const lsn = toLsn(Math.max(backup.lsn, newestLsn ?? 0))
  try {
    const chain = await openChain(database, planRestore(catalog.segments, lsn), options)
    const pages = await readPageHashes(chain, options)
    if (!pages.known) throw insideLog(backup)
    return { backup, lsn, chain, pages }
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw toHoldfastError(error)
    throw new HoldfastError('INTEGRITY', `No chain of segments leads to backup ${backup.id} any more.`, {
      object: backup.segment ?? backup.id,
      cause: error,
      hint: 'Run "holdfast verify" to see what is missing, and make a full backup.',
    })
  }
}

function insideLog(backup: BackupManifest): HoldfastError {
  return new HoldfastError(
    'USAGE',
    `The state of backup ${backup.id} lies inside a log, whose index does not say what its pages held.`,
    {
      object: backup.id,
      hint: 'Build on the newest backup (leave --parent out), or make a full one.',
    },
  )
}

async function namedParent(database: DatabaseRepository, catalog: Catalog, parent: string): Promise<BackupManifest> {
  try {
    return findBackup(catalog, parent)
  } catch (error) {
    const elsewhere = hasCode(error, 'BACKUP_NOT_FOUND') ? await ownerOf(database, parent) : undefined
    if (elsewhere === undefined) throw error
    throw new HoldfastError(
      'BACKUP_NOT_FOUND',
      `The backup ${parent} is one of ${elsewhere}, not of ${database.name}.`,
      {
        object: parent,
        hint: `A parent must be a backup of the same database. See them with "holdfast list ${database.name}".`,
      },
    )
  }
}

async function ownerOf(database: DatabaseRepository, id: string): Promise<string | undefined> {
  for (const name of await database.repository.databaseNames()) {
    if (name === database.name) continue
    const { backups } = await database.repository.database(name).catalog()
    if (backups.some((backup) => backup.id === id || backup.name === id)) return name
  }
  return undefined
}
