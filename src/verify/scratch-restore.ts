import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { restoreDatabase } from '../restore/restore-database.ts'
import type { VerifyOptions } from './verify-options.ts'

/** A real restore, with every proof, into a folder that goes away. */
export async function scratchRestore(
  database: DatabaseRepository,
  backup: BackupManifest,
  { scratchFolder, signal }: VerifyOptions,
): Promise<void> {
  const folder = await makeFolder(scratchFolder ?? tmpdir())
  try {
    await restoreDatabase(database, {
      state: { by: 'backup', id: backup.id },
      targetPath: join(folder, 'restored.db'),
      signal,
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'holdfast-verify-'))
  } catch (error) {
    throw new HoldfastError('ACCESS_DENIED', `No scratch folder can be made in ${parent}.`, {
      object: parent,
      cause: error,
      hint: 'Name a folder that exists and may be written to, with room for the largest database (--scratch).',
    })
  }
}
