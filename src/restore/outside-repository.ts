import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../errors.ts'
import { isRepositoryKey } from '../repository/layout.ts'

/**
 * A restored database that takes the place of what the repository itself keeps costs backups. Other files may lie in the repository's folder.
 * @throws USAGE
 */
export async function requireOutsideRepository(url: string, targetPath: string): Promise<void> {
  if (!url.startsWith('file:')) return
  const root = fileURLToPath(url)
  const key = relative(await realPlace(root), await realPlace(resolve(targetPath)))
  if (!isRepositoryKey(key.split(sep).join('/'))) return
  throw new HoldfastError('USAGE', `The target ${targetPath} is where the repository ${root} keeps its own files.`, {
    object: targetPath,
    hint: 'Restore to a path outside of the repository.',
  })
}

/** What is not there lies in its folder. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const folder = dirname(path)
    return folder === path ? path : join(await realPlace(folder), basename(path))
  }
}
