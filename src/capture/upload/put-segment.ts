import { basename, dirname } from 'node:path'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { PutBody } from '../../storage/storage.ts'
import { collectBytes } from '../../util/bytes.ts'
import type { LocalFiles } from '../spool/local-files.ts'
import { type SpoolItem, spooledBytes } from '../spool/spool-item.ts'

/** Up to this size an object is given to the storage in one piece, which it can try again by itself. */
const onePiece = 4 * 1024 * 1024

/**
 * Puts a spooled segment into the repository, the gap that it ends, or the pause that it tells of, first. May be repeated: what an attempt with a lost answer has
 * stored is recognised.
 * @returns false if its file has vanished, and the repository does not have it either
 * @throws STORAGE_*, DISK_FULL, LEASE_LOST if another writer has put something else in its place
 */
export async function putSegment(
  database: DatabaseRepository,
  files: LocalFiles,
  item: SpoolItem,
  signal: AbortSignal,
): Promise<boolean> {
  const { storage, repository } = database
  const { key, bytes } = item.info
  const isSpooled = (await files.list(dirname(item.path))).includes(basename(item.path))
  if (!isSpooled) return (await storage.head(key, { signal })) !== undefined && !(await isOther(database, item, signal))
  if (item.gap !== undefined) await database.putGap(item.gap, { signal })
  if (item.pause !== undefined) await database.putPause(item.pause, { signal })
  const body = async (): Promise<PutBody> => {
    const stream = spooledBytes(files, item)
    return bytes <= onePiece ? await collectBytes(stream, onePiece) : stream
  }
  const ifAbsent = repository.capabilities.conditionalCreate
  try {
    await storage.put(key, await body(), { signal, ifAbsent })
  } catch (error) {
    if (!hasCode(error, 'OBJECT_EXISTS')) throw error
    if (await isOther(database, item, signal)) throw takenOver(database, key)
  }
  const stored = await storage.head(key, { signal })
  if (stored?.size === bytes) return true
  // It is under our lease and our name, and it is not whole: a storage that does so gets another chance.
  await storage.put(key, await body(), { signal })
  const again = await storage.head(key, { signal })
  if (again?.size === bytes) return true
  throw new HoldfastError(
    'STORAGE_CORRUPT',
    `The storage holds ${again?.size ?? 'no'} bytes of ${key} after ${bytes} were stored.`,
    { object: key },
  )
}

/** A sound segment under our name that does not end in our state. */
async function isOther(database: DatabaseRepository, item: SpoolItem, signal: AbortSignal): Promise<boolean> {
  const found = await database.storage.head(item.info.key, { signal })
  if (found === undefined) return false
  try {
    const { header, end } = await database.openSegment({ ...item.info, bytes: found.size }, { signal })
    return header.startState !== item.startState || end.endState !== item.endState || found.size !== item.info.bytes
  } catch (error) {
    if (hasCode(error, 'INTEGRITY')) return false
    throw error
  }
}

function takenOver(database: DatabaseRepository, key: string): HoldfastError {
  return new HoldfastError('LEASE_LOST', `Another process has written ${key} to the history of ${database.name}.`, {
    object: key,
    hint: 'Start following again: it goes on from what the repository holds.',
  })
}
