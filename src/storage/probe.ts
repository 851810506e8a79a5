import { randomBytes } from 'node:crypto'
import { HoldfastError, hasCode } from '../errors.ts'
import { collectBytes } from '../util/bytes.ts'
import { probeKey } from './probe-leftovers.ts'
import type { BackupStorage, GetOptions, StorageCapabilities } from './storage.ts'

const racers = 8

/**
 * Finds out what a storage really does, by doing it: writes, reads, lists, replaces and deletes a few small objects named
 * `probe-…`, and removes them. A capability that the storage does not claim is not tried.
 * @param random makes random bytes; default: node:crypto's
 * @throws STORAGE_CORRUPT if the storage misbehaves in a way that no backup could live with; DISK_FULL, STORAGE_*
 */
export async function probeStorage(
  storage: BackupStorage,
  random: (size: number) => Uint8Array = randomBytes,
): Promise<StorageCapabilities> {
  const own = random(8)
  const keys = { basic: probeKey(own, 'basic'), create: probeKey(own, 'create'), replace: probeKey(own, 'replace') }
  let found: StorageCapabilities
  try {
    const consistentList = await probeBasics(storage, keys.basic, random)
    const conditionalCreate = storage.capabilities.conditionalCreate && (await probeCreate(storage, keys.create))
    const conditionalReplace = storage.capabilities.conditionalReplace && (await probeReplace(storage, keys.replace))
    found = {
      conditionalCreate,
      conditionalReplace,
      consistentList: storage.capabilities.consistentList && consistentList,
    }
  } catch (thrown) {
    // What went wrong first explains why the cleaning may fail as well.
    await removeAll(storage, Object.values(keys)).catch(() => {})
    throw thrown
  }
  await removeAll(storage, Object.values(keys))
  return found
}

async function removeAll(storage: BackupStorage, keys: readonly string[]): Promise<void> {
  for (const key of keys) await storage.delete(key)
}

/** Returns whether listings show changes at once. */
async function probeBasics(
  storage: BackupStorage,
  key: string,
  random: (size: number) => Uint8Array,
): Promise<boolean> {
  const first = random(1000)
  const put = await storage.put(key, first)
  await expectBytes(storage, key, {}, first)
  await expectBytes(storage, key, { offset: 10, length: 100 }, first.subarray(10, 110))
  await expectBytes(storage, key, { offset: -10 }, first.subarray(990))
  const head = await storage.head(key)
  if (head?.size !== first.length || head.etag !== put.etag)
    throw misbehaves(storage, key, 'it does not tell the size and version that it stored')
  const shownAtOnce = (await listed(storage, key)).includes(key)

  const second = random(500)
  const replaced = await storage.put(key, second)
  if (replaced.etag === put.etag)
    throw misbehaves(storage, key, 'the version stays the same when an object is replaced')
  await expectBytes(storage, key, {}, second)

  await storage.delete(key)
  if ((await storage.head(key)) !== undefined) throw misbehaves(storage, key, 'a deleted object is still there')
  const goneAtOnce = !(await listed(storage, key)).includes(key)
  return shownAtOnce && goneAtOnce
}

/** Whether of several writers at the same time exactly one creates the object. */
async function probeCreate(storage: BackupStorage, key: string): Promise<boolean> {
  return await exactlyOneWins(storage, key, { ifAbsent: true })
}

/** Whether a stale version is refused, and of several writers with the right one exactly one replaces the object. */
async function probeReplace(storage: BackupStorage, key: string): Promise<boolean> {
  const stale = await storage.put(key, Buffer.from('first'))
  const current = await storage.put(key, Buffer.from('second'))
  if (await wins(storage, key, 'stale', { ifMatch: stale.etag })) return false
  return await exactlyOneWins(storage, key, { ifMatch: current.etag })
}

async function exactlyOneWins(
  storage: BackupStorage,
  key: string,
  condition: { ifAbsent: true } | { ifMatch: string },
): Promise<boolean> {
  const attempts = Array.from({ length: racers }, (_, racer) => wins(storage, key, `racer ${racer}`, condition))
  const settled = await Promise.allSettled(attempts)
  const failed = settled.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const winners = settled.flatMap((outcome, racer) => (outcome.status === 'fulfilled' && outcome.value ? [racer] : []))
  if (winners.length !== 1) return false
  return Buffer.from(await collectBytes(storage.get(key))).toString() === `racer ${winners[0]}`
}

async function wins(
  storage: BackupStorage,
  key: string,
  content: string,
  condition: { ifAbsent: true } | { ifMatch: string },
): Promise<boolean> {
  try {
    await storage.put(key, Buffer.from(content), condition)
    return true
  } catch (thrown) {
    if (hasCode(thrown, 'OBJECT_EXISTS', 'OBJECT_CHANGED')) return false
    throw thrown
  }
}

async function listed(storage: BackupStorage, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const info of storage.list(prefix)) keys.push(info.key)
  return keys
}

async function expectBytes(
  storage: BackupStorage,
  key: string,
  range: GetOptions,
  expected: Uint8Array,
): Promise<void> {
  const bytes = await collectBytes(storage.get(key, range))
  if (Buffer.compare(bytes, expected) !== 0) throw misbehaves(storage, key, 'it returns other bytes than were stored')
}

function misbehaves(storage: BackupStorage, key: string, how: string): HoldfastError {
  return new HoldfastError('STORAGE_CORRUPT', `The storage ${storage.url} cannot hold backups: ${how}.`, {
    object: key,
    hint: 'Use another storage, or see whether something between here and there (a proxy, a cache) changes what is sent.',
  })
}
