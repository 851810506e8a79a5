/** A mirror of a history of which every state is known, both in memory. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { MirrorOptions, MirrorReport } from '../../../../src/maintenance/mirror/mirror-options.ts'
import { mirrorTo } from '../../../../src/maintenance/mirror/mirror-to.ts'
import type { DatabaseRepository } from '../../../../src/repository/database-repository.ts'
import { writeDocument } from '../../../../src/repository/documents.ts'
import { markerKey } from '../../../../src/repository/layout.ts'
import { readMirror } from '../../../../src/repository/mirror-record.ts'
import { readCatalog } from '../../../../src/repository/read-catalog.ts'
import { Repository } from '../../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../../src/storage/memory.ts'
import type { BackupStorage } from '../../../../src/storage/storage.ts'
import { collectBytes } from '../../../../src/util/bytes.ts'
import { restoreToMemory } from '../../../scenarios/support/memory-restore.ts'
import type { KeptHistory } from '../../support/kept-history.ts'

export async function mirrorHistory(
  history: KeptHistory,
  to: BackupStorage,
  options: MirrorOptions = {},
): Promise<MirrorReport> {
  return await mirrorTo(await Repository.open(history.storage), to, { now: history.time, ...options })
}

/** The SHA-256 of each object, by key; what each place has of its own, and what a probe that was cut off left, is left out. */
export async function contents(storage: BackupStorage): Promise<Map<string, string>> {
  const all = new Map<string, string>()
  const own = /(^mirror(-lease)?\.json|^holdfast\.json|^probe-.*|\/lease\.json|\/verification\.json)$/
  for await (const { key } of storage.list(''))
    if (!own.test(key))
      all.set(
        key,
        createHash('sha256')
          .update(await collectBytes(storage.get(key)))
          .digest('hex'),
      )
  return all
}

/** Every backup that a mirror lists can be restored from it, byte for byte, whether or not it is finished. @returns how many */
export async function checkMirror(history: KeptHistory, storage: BackupStorage): Promise<number> {
  const { backups, problems } = await readCatalog(storage, 'app', {})
  assert.deepEqual(problems, [])
  if (backups.length === 0) return 0
  const database = await mirroredDatabase(storage)
  for (const { id, lsn } of backups) {
    const image = await restoreToMemory(database, { by: 'backup', id })
    assert.ok(image.equals(Buffer.concat(history.at(lsn).pages)), `backup ${id}, LSN ${lsn} is not what it was`)
  }
  return backups.length
}

/** Of one that is not finished yet, what is there is looked at as if it were. */
async function mirroredDatabase(storage: BackupStorage): Promise<DatabaseRepository> {
  if ((await storage.head(markerKey)) !== undefined) return (await Repository.open(storage)).database('app')
  const record = await readMirror(storage)
  assert.ok(record, 'there is a backup, and nothing says that this is a mirror')
  const finished = new MemoryStorage()
  await copyInto(storage, finished)
  await writeDocument(finished, 'repository', markerKey, record.repository)
  return (await Repository.open(finished)).database('app')
}

export async function copyInto(from: BackupStorage, to: BackupStorage): Promise<void> {
  for (const { key } of await Array.fromAsync(to.list(''))) await to.delete(key)
  for (const { key } of await Array.fromAsync(from.list(''))) await to.put(key, await collectBytes(from.get(key)))
}
