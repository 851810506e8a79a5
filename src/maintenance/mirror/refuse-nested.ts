import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../errors.ts'
import type { BackupStorage } from '../../storage/storage.ts'

/**
 * A mirror in the repository's folder dies with it, and is taken for a part of it by whoever copies or deletes folders. What is said holds
 * for folders of this machine, by whatever links they are named; other storages are not looked into.
 * @throws USAGE; ACCESS_DENIED
 */
export async function refuseNested(
  source: Pick<BackupStorage, 'url'>,
  mirror: Pick<BackupStorage, 'url'>,
): Promise<void> {
  const [from, to] = [await realFolder(source.url), await realFolder(mirror.url)]
  if (from === undefined || to === undefined) return
  const problem = isWithin(to, from)
    ? `The mirror ${to} would lie in the folder of the repository, ${from}.`
    : `The repository ${from} lies in the folder of the mirror, ${to}.`
  if (!isWithin(to, from) && !isWithin(from, to)) return
  throw new HoldfastError('USAGE', problem, { object: to, hint: 'Mirror to a folder beside it, best on another disk.' })
}

const isWithin = (path: string, folder: string): boolean =>
  path !== folder && path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)

/** Undefined for what is no folder of this machine. */
async function realFolder(url: string): Promise<string | undefined> {
  return url.startsWith('file:') ? await realPath(fileURLToPath(url)) : undefined
}

/** Of what is not there yet, the real path that it will have. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    // Whether a file is in the way is for the storage to say.
    const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    if (isMissing && dirname(path) !== path) return join(await realPath(dirname(path)), basename(path))
    throw new HoldfastError('ACCESS_DENIED', `It cannot be seen where ${path} leads to: ${error.message}.`, {
      object: path,
      cause: error,
    })
  }
}
