import type { DatabaseRepository } from '../repository/database-repository.ts'
import { databaseRecordKey } from '../repository/layout.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { CatalogOutline } from './lost-backups.ts'
import { isDamage, type Problems } from './problems.ts'

/** The record of the database must be there, and its own. */
export async function checkRecord(
  database: DatabaseRepository,
  { backups, problems: unreadable }: CatalogOutline,
  problems: Problems,
  options: OperationOptions,
): Promise<void> {
  try {
    const record = await database.record(options)
    if (record !== undefined && record.name === database.name) return
    // The first backup, interrupted, leaves a segment without a record: nothing was promised yet.
    if (record === undefined && backups.length === 0 && unreadable.length === 0) return
    const problem =
      record === undefined
        ? 'The record of the database is missing.'
        : `It is that of another database, ${record.name}.`
    problems.objects.set(databaseRecordKey(database.name), problem)
  } catch (error) {
    if (!isDamage(error)) throw error
    problems.objects.set(error.object ?? database.name, error.message)
  }
}
