import { backupsPrefix, databaseRecordKey, databasesPrefix, isDatabaseName } from '../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { listAll } from './listings.ts'
import type { Listed } from './object-kind.ts'

/** All that lies below `databases/`, by the names there. */
export async function listByDatabase(
  storage: BackupStorage,
  options: OperationOptions,
): Promise<ReadonlyMap<string, readonly Listed[]>> {
  const objects = await listAll(storage, databasesPrefix, options)
  return Map.groupBy(objects, ({ key }) => key.slice(databasesPrefix.length).split('/')[0] ?? '')
}

/** What a first backup that failed leaves is no database yet. */
export function isDatabase(name: string, objects: readonly Listed[]): boolean {
  if (!isDatabaseName(name)) return false
  return objects.some(({ key }) => key === databaseRecordKey(name) || key.startsWith(backupsPrefix(name)))
}
