import { HoldfastError, hasCode } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { Repository } from '../repository/repository.ts'
import { chosenDatabases } from './commands/list.ts'

export interface FoundBackup {
  readonly backup: BackupManifest
  readonly catalog: Catalog
  readonly database: DatabaseRepository
}

/**
 * The backup that an id, its beginning or a name means. Ids are unique in a repository, names only within a database.
 * @throws BACKUP_NOT_FOUND also if several databases have one; NAME_NOT_FOUND, INTEGRITY, STORAGE_*
 */
export async function findBackupAnywhere(
  repository: Repository,
  id: string,
  { database: only, signal }: { readonly database?: string | undefined; readonly signal: AbortSignal },
): Promise<FoundBackup> {
  const { findBackup } = await import('../repository/catalog.ts')
  const found: FoundBackup[] = []
  let failure: HoldfastError | undefined
  const databases = await chosenDatabases(repository, only === undefined ? [] : [only], signal)
  for (const database of databases) {
    const catalog = await database.catalog({ signal })
    try {
      found.push({ backup: findBackup(catalog, id), catalog, database })
    } catch (error) {
      if (!hasCode(error, 'BACKUP_NOT_FOUND')) throw error
      failure = error
    }
  }
  const [first, another] = found
  if (first === undefined) throw databases.length === 1 && failure !== undefined ? failure : unknown(repository, id)
  if (another === undefined) return first
  const owners = found.map(({ database }) => database.name).join(', ')
  throw new HoldfastError('BACKUP_NOT_FOUND', `"${id}" fits backups of several databases: ${owners}.`, {
    object: id,
    hint: `Say which: --database ${first.database.name}.`,
  })
}

function unknown(repository: Repository, id: string): HoldfastError {
  return new HoldfastError(
    'BACKUP_NOT_FOUND',
    `No database in ${repository.url} has a backup with the id or name "${id}".`,
    {
      object: id,
      hint: 'See them with "holdfast list".',
    },
  )
}
