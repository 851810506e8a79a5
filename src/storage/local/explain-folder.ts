import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import { formatBytes } from '../../util/format-bytes.ts'
import { systemCode } from './file-error.ts'

/** A failed write, told of the storage's folder where that is what is wrong: full, no folder, or one that cannot be. */
export async function explainFolder(error: HoldfastError, root: string): Promise<HoldfastError> {
  const details = { object: error.object, cause: error.cause }
  if (error.code === 'DISK_FULL') {
    if (await hasNoFilesLeft(root)) {
      return new HoldfastError('DISK_FULL', `The file system of the folder ${root} can hold no more files.`, {
        ...details,
        hint: 'Remove files from it, however small, or choose another place, and run the command again.',
      })
    }
    return new HoldfastError('DISK_FULL', `No space left in the folder ${root} (${await freeText(root)} free).`, {
      ...details,
      hint: error.hint,
    })
  }
  const file = await fileInTheWay(root)
  if (file !== undefined) {
    return new HoldfastError('USAGE', `${file} is a file, and no folder that could hold a repository.`, {
      ...details,
      hint: 'Name a folder; it is made if it does not exist yet.',
    })
  }
  if (await exists(root)) return error
  const reason = systemCode(error.cause)
  return new HoldfastError(
    'STORAGE_DENIED',
    `The folder ${root} does not exist and cannot be made${reason === undefined ? '' : ` (${reason})`}.`,
    { ...details, hint: 'Name a folder in a place where you may make one, or make it yourself first.' },
  )
}

/** Some file systems make as many as there is space for, and say 0 of 0. */
async function hasNoFilesLeft(folder: string): Promise<boolean> {
  try {
    const { files, ffree, bavail } = await statfs(folder)
    return files > 0 && ffree === 0 && bavail > 0
  } catch {
    return false
  }
}

async function freeText(folder: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return formatBytes(bavail * bsize)
  } catch {
    return 'unknown how much'
  }
}

/** The folder's own path or one above it, if that is no folder. */
async function fileInTheWay(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isDirectory() ? undefined : path
  } catch {
    const parent = dirname(path)
    return parent === path ? undefined : await fileInTheWay(parent)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    return systemCode(thrown) === 'EACCES'
  }
}
