import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { userStateFolder } from '../util/user-state-folder.ts'
import type { LocalFiles } from './spool/local-files.ts'

/** Where the spool and the position of a followed database lie unless told otherwise. */
export function defaultStateFolder(
  repositoryId: string,
  database: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(userStateFolder(environment, platform), repositoryId, database)
}

/**
 * Makes the folder, and keeps every other capture out of it: two would take one another's segments for their own, also if their
 * leases are of different repositories. A process that died keeps nobody out.
 * @throws LEASE_HELD, ACCESS_DENIED, DISK_FULL
 */
export async function lockStateFolder(files: LocalFiles, folder: string): Promise<Disposable> {
  const lock = await taken(files, folder)
  if (lock !== undefined) return lock
  throw new HoldfastError('LEASE_HELD', `Another capture is at work with the state folder ${folder}.`, {
    object: folder,
    hint: 'If that one follows this very database, all is done. Else stop it, or give this one a folder of its own (--state).',
  })
}

/**
 * What tells this folder from every other; made when it is first asked for. To be called by the process that has locked it.
 * @throws ACCESS_DENIED, DISK_FULL
 */
export async function stateFolderId(files: LocalFiles, folder: string): Promise<string> {
  const path = join(folder, 'id')
  try {
    const known = await knownStateFolderId(files, folder)
    if (known !== undefined) return known
    const id = randomUUID()
    const temporary = `${path}.tmp`
    const file = await files.create(temporary)
    try {
      await file.write(new TextEncoder().encode(id))
      await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(temporary, path)
    await files.syncFolder(folder)
    return id
  } catch (thrown) {
    throw toHoldfastError(thrown, path)
  }
}

/** Undefined if it has none, or there is no such folder. @throws the system's error */
export async function knownStateFolderId(files: LocalFiles, folder: string): Promise<string | undefined> {
  try {
    if (!(await files.list(folder)).includes('id')) return undefined
    const known = await readText(files, join(folder, 'id'))
    return /^[0-9a-f-]{36}$/.test(known) ? known : undefined
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  }
}

async function readText(files: LocalFiles, path: string): Promise<string> {
  const file = await files.open(path)
  try {
    return new TextDecoder().decode(await file.read(0, Math.min(file.size, 100)))
  } finally {
    await file.close()
  }
}

async function taken(files: LocalFiles, folder: string): Promise<Disposable | undefined> {
  try {
    await files.makeFolder(folder)
    return await files.lock(join(folder, 'lock'))
  } catch (thrown) {
    const error = toHoldfastError(thrown, folder)
    if (!hasCode(error, 'STORAGE_DENIED', 'STORAGE_TRANSIENT')) throw error
    throw new HoldfastError('ACCESS_DENIED', `The state folder ${folder} cannot be used. ${error.message}`, {
      object: folder,
      cause: error,
      hint: 'Check its owner and mode, and that its file system is mounted for writing; or name another folder with --state.',
    })
  }
}
