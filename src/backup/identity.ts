import { HoldfastError } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupSource } from '../source/source.ts'
import type { CreateBackupOptions } from './backup-options.ts'

/**
 * Two databases whose files have one base name must not become one history by accident. A name that the user gave is meant.
 * @throws NAME_TAKEN
 */
export async function checkIdentity(
  source: BackupSource,
  database: DatabaseRepository,
  options: { readonly database?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (options.database !== undefined) return
  const record = await database.record(options)
  if (record === undefined || record.location === source.location) return
  throw new HoldfastError(
    'NAME_TAKEN',
    `The name ${database.name} is that of another database in this repository: ${record.location}.`,
    {
      object: source.location,
      hint: `Choose a name of its own with --database; or, if it is that database in a new place, say so with --database ${database.name}.`,
    },
  )
}

/** @throws USAGE if a snapshot has no name, NAME_TAKEN if another backup has it */
export function checkName(catalog: Catalog, { type, name }: CreateBackupOptions): void {
  if (name === undefined) {
    if (type !== 'snapshot') return
    throw new HoldfastError('USAGE', 'A snapshot needs a name.', { hint: 'Give one: --name before-migration.' })
  }
  if (!/^\S(.{0,98}\S)?$/u.test(name))
    throw new HoldfastError('USAGE', `"${name}" cannot be the name of a backup.`, {
      hint: 'Use up to 100 characters on one line.',
    })
  const holder = catalog.backups.find((backup) => backup.name === name)
  if (holder === undefined) return
  throw new HoldfastError('NAME_TAKEN', `Backup ${holder.id} of ${catalog.database} has the name "${name}" already.`, {
    object: name,
    hint: 'Choose another name.',
  })
}
