import { constants } from 'node:fs'
import { access, lstat, readlink, realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../../errors.ts'
import { formatBytes } from '../../../util/format-bytes.ts'
import { sidecarPaths, sidecarSuffixes } from './sidecars.ts'

/** Where the restored file goes: the real file behind a symbolic link. */
export interface TargetPlace {
  readonly path: string
  readonly folder: string
  readonly base: string
  /** The file that stands there now. */
  readonly old: OldFile | undefined
}

export interface OldFile {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
}

export interface ExistingPlace extends TargetPlace {
  readonly old: OldFile
}

/** @throws TARGET_FOLDER_MISSING, ACCESS_DENIED, USAGE if it is no ordinary file */
export async function findPlace(target: string): Promise<TargetPlace> {
  const path = await realPlace(resolve(target), target)
  const folder = dirname(path)
  await requireFolder(folder, target)
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw toHoldfastError(error, folder)
  }
  const sidecar = sidecarSuffixes.find((suffix) => path.endsWith(suffix))
  if (sidecar !== undefined) {
    throw new HoldfastError(
      'USAGE',
      `The target ${target} has the name of a file that SQLite keeps beside a database.`,
      {
        object: target,
        hint: `Name the database itself, such as ${target.slice(0, -sidecar.length) || 'restored.db'}, or another file.`,
      },
    )
  }
  const old = await stat(path).catch(ifMissing)
  if (old !== undefined && !old.isFile()) {
    throw new HoldfastError(
      'USAGE',
      `The target ${target} is ${old.isDirectory() ? 'a folder' : 'no ordinary file'}.`,
      {
        object: target,
        hint: 'Name the file that the database is to be restored to.',
      },
    )
  }
  // Beside a database that is there, SQLite says so itself.
  if (old === undefined) for (const beside of sidecarPaths(path)) await refuseFolder(beside, target)
  return { path, folder, base: basename(path), old }
}

/** Container engines make folders where files were to be mounted; SQLite could not open a database beside one. */
async function refuseFolder(sidecar: string, target: string): Promise<void> {
  const facts = await stat(sidecar).catch(ifMissing)
  if (facts?.isDirectory() !== true) return
  throw new HoldfastError('USAGE', `${sidecar} is a folder, where SQLite keeps a file beside its database.`, {
    object: target,
    hint: 'Remove that folder, or restore to another path.',
  })
}

async function requireFolder(folder: string, target: string): Promise<void> {
  const facts = await stat(folder).catch(ifMissing)
  if (facts?.isDirectory() !== true) throw noFolder(folder, target)
}

function noFolder(folder: string, target: string, cause?: unknown): HoldfastError {
  return new HoldfastError('TARGET_FOLDER_MISSING', `There is no folder ${folder} to restore into.`, {
    object: target,
    hint: 'Make the folder, or restore to another place.',
    cause,
  })
}

/** @throws DISK_FULL if the file system is known to have less than `needed` bytes for us */
export async function assertSpace(folder: string, needed: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const available = bavail * bsize
  // Some network file systems do not tell, and say 0 of 0.
  if (blocks === 0 || available >= needed) return
  throw new HoldfastError(
    'DISK_FULL',
    `The restore needs ${formatBytes(needed)} in ${folder}; ${formatBytes(available)} are free.`,
    { object: folder, hint: 'Free some space, or restore to another place.' },
  )
}

const maxLinks = 40

/** Like realpath, but the last link may point to a file that does not exist yet. */
async function realPlace(path: string, target: string): Promise<string> {
  let place = path
  for (let links = 0; links < maxLinks; links += 1) {
    const folder = await realpath(dirname(place)).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw toHoldfastError(error, dirname(place))
      throw noFolder(dirname(place), target, error)
    })
    place = join(folder, basename(place))
    if ((await lstat(place).catch(ifMissing))?.isSymbolicLink() !== true) return place
    place = resolve(folder, await readlink(place))
  }
  throw new HoldfastError('USAGE', `The target ${target} is a circle of symbolic links.`, { object: target })
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined
  throw toHoldfastError(error)
}
