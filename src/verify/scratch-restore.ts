import { join } from 'node:path'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { restoreDatabase } from '../restore/restore-database.ts'
import type { RestoreResult } from '../restore/restore-options.ts'
import { ScratchFolder } from './scratch-folder.ts'
import type { VerifyOptions } from './verify-options.ts'

/** A real restore, with every proof, into a folder that goes away. */
export async function scratchRestore(
  database: DatabaseRepository,
  backupId: string,
  { scratchFolder, signal }: Pick<VerifyOptions, 'scratchFolder' | 'signal'>,
): Promise<RestoreResult> {
  await using scratch = await ScratchFolder.make(scratchFolder)
  const targetPath = join(scratch.path, 'restored.db')
  return await restoreDatabase(database, { state: { by: 'backup', id: backupId }, targetPath, signal })
}
