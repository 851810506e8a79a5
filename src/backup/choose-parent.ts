import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { toLsn } from '../history/lsn.ts'
import { planRestore } from '../history/plan.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import { type Chain, openChain } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { type PageHashes, readPageHashes } from '../repository/page-hashes.ts'
import type { CreateBackupOptions } from './backup-options.ts'

/** The state that an incremental backup builds on. */
export interface Parent {
  readonly backup: BackupManifest
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
    return openParent(database, catalog, await namedParent(database, catalog, options.parent), options)
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
    return await openParent(database, catalog, newest, options)
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT')) throw error
    warn(`The newest backup, ${newest.id}, cannot be built on, so everything is stored anew. ${error.message}`)
    return undefined
  }
}

async function openParent(
  database: DatabaseRepository,
  catalog: Catalog,
  backup: BackupManifest,
  options: CreateBackupOptions,
): Promise<Parent> {
  try {
    const chain = await openChain(database, planRestore(catalog.segments, toLsn(backup.lsn)), options)
    return { backup, chain, pages: await readPageHashes(chain, options) }
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw toHoldfastError(error)
    throw new HoldfastError('INTEGRITY', `No chain of segments leads to backup ${backup.id} any more.`, {
      object: backup.segment,
      cause: error,
      hint: 'Run "holdfast verify" to see what is missing, and make a full backup.',
    })
  }
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
