import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../../src/backup/delete-backup.ts'
import { openOrInit } from '../../../src/backup/init-repository.ts'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { promoteMirror } from '../../../src/maintenance/mirror/mirror-repository.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { pinBackup } from '../../../src/maintenance/pins/pin-backup.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { markerKey, mirrorKey, mirrorLeaseKey } from '../../../src/repository/layout.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { FaultStorage } from '../../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, mirrorHistory } from './support/mirrored-history.ts'

async function mirrored() {
  const history = await KeptHistory.make(7)
  const mirror = new MemoryStorage()
  const { id } = await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
  await history.log(3, hour)
  await mirrorHistory(history, mirror)
  return { history, mirror, id }
}

/** A mirror of which the first run came only so far. */
async function unfinished() {
  const { history } = await mirrored()
  for (let failAt = 0; failAt < 200; failAt += 1) {
    const mirror = new MemoryStorage()
    const faulty = new FaultStorage(mirror, { failAt, crash: true })
    await assert.rejects(mirrorTo(await Repository.open(history.storage), faulty, { now: history.time }))
    await mirror.delete(mirrorLeaseKey)
    if ((await checkMirror(history, mirror)) > 0 && (await mirror.head('holdfast.json')) === undefined)
      return { history, mirror }
  }
  throw new Error('No interruption left a part.')
}

describe('a mirror', () => {
  it('is written to by nobody else', async () => {
    const { mirror, id, history } = await mirrored()
    const before = await contents(mirror)
    const database = (await Repository.open(mirror)).database('app')
    const writers: readonly ((database: DatabaseRepository) => Promise<unknown>)[] = [
      (place) => Lease.acquire(place, { purpose: 'backup' }),
      (place) => expireDatabase(place, { last: 1 }, { now: history.time }),
      (place) => compactDatabase(place, { now: history.time }),
      (place) => deleteBackup(place, id, { force: true }),
      (place) => pinBackup(place, id),
    ]
    for (const write of writers)
      await assert.rejects(write(database), { code: 'MIRROR', hint: /holdfast mirror --promote memory:/ })
    assert.deepEqual(await contents(mirror), before)
  })

  it('is verified like any repository, and remembers that by itself', async () => {
    const { mirror, history } = await mirrored()
    const { ok } = await verifyRepository(await Repository.open(mirror), { level: 'data' })
    assert.ok(ok)
    const { size } = (await mirror.head('databases/app/verification.json')) ?? { size: 0 }
    assert.ok(size > 0)
    await mirrorHistory(history, mirror)
    assert.equal((await mirror.head('databases/app/verification.json'))?.size, size)
    assert.equal(await history.storage.head('databases/app/verification.json'), undefined)
  })

  it('that is promoted is a repository of its own, and mirrored to no more', async () => {
    const { mirror, history, id } = await mirrored()
    const { formerSource, completeAt, databases } = await promoteMirror(mirror)
    assert.deepEqual([formerSource, completeAt, databases], [history.storage.url, history.time, ['app']])
    assert.equal(await mirror.head(mirrorKey), undefined)
    assert.equal(await mirror.head(mirrorLeaseKey), undefined)
    const database = (await Repository.open(mirror)).database('app')
    await pinBackup(database, id)
    await (await Lease.acquire(database, { purpose: 'backup' }))[Symbol.asyncDispose]()
    await assert.rejects(mirrorHistory(history, mirror), { code: 'MIRROR', message: /was promoted from a mirror/ })
    await assert.rejects(promoteMirror(mirror), { code: 'MIRROR' })
    const second = new MemoryStorage()
    assert.ok((await mirrorTo(await Repository.open(mirror), second)).complete)
  })

  it('that was never finished is not taken for a repository, nor made one by mistake', async () => {
    const { mirror, history } = await unfinished()
    const told = { code: 'INTEGRITY', message: /a mirror that was never finished/, hint: /"holdfast mirror"/ }
    await assert.rejects(Repository.open(mirror), told)
    await assert.rejects(Repository.init(mirror), { code: 'MIRROR' })
    await assert.rejects(openOrInit(mirror, {}))
    await assert.rejects(promoteMirror(mirror), { code: 'MIRROR', message: /was never complete/ })
    const { databases, completeAt } = await promoteMirror(mirror, { force: true })
    assert.deepEqual([databases, completeAt], [['app'], undefined])
    assert.equal(await checkMirror(history, mirror), 1)
  })

  it('that was finished, but never complete, is not made a repository by mistake either', async () => {
    const { history, id } = await mirrored()
    const [manifest = ''] = (await history.keys()).filter((key) => key.includes(id))
    await history.storage.put(manifest, Buffer.from('?'))
    const mirror = new MemoryStorage()
    assert.equal((await mirrorHistory(history, mirror)).complete, false)
    await assert.rejects(promoteMirror(mirror), { code: 'MIRROR', message: /was never complete/ })
    assert.deepEqual((await promoteMirror(mirror, { force: true })).databases, ['app'])
  })

  it('whose record was damaged is promoted if that is insisted on', async () => {
    const { mirror, id } = await mirrored()
    await mirror.put(mirrorKey, Buffer.from('?'))
    await assert.rejects(promoteMirror(mirror), { code: 'INTEGRITY', object: mirrorKey, hint: /--force/ })
    const { completeAt, databases } = await promoteMirror(mirror, { force: true })
    assert.deepEqual([completeAt, databases], [undefined, ['app']])
    await pinBackup((await Repository.open(mirror)).database('app'), id)
  })

  it('whose marker was damaged gets a new one, by mirroring to it and by promoting it', async () => {
    for (const mend of [mirrorHistory, (_: KeptHistory, mirror: MemoryStorage) => promoteMirror(mirror)]) {
      const { mirror, history } = await mirrored()
      const { id } = await Repository.open(mirror)
      await mirror.put(markerKey, Buffer.from('?'))
      await mend(history, mirror)
      assert.equal((await Repository.open(mirror)).id, id)
    }
  })

  it('whose record was damaged is still a mirror, and gets a new one', async () => {
    const { mirror, history } = await mirrored()
    await mirror.put(mirrorKey, Buffer.from('?'))
    const database = (await Repository.open(mirror)).database('app')
    await assert.rejects(Lease.acquire(database, { purpose: 'backup' }), { code: 'INTEGRITY', object: mirrorKey })
    assert.ok((await mirrorHistory(history, mirror)).complete)
    await assert.rejects(Lease.acquire(database, { purpose: 'backup' }), { code: 'MIRROR' })
  })
})
