import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { toLsn, zeroLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { pinBackup, unpinBackup } from '../../src/maintenance/pins/pin-backup.ts'
import { manifestKey, segmentKey } from '../../src/repository/layout.ts'
import { Lease } from '../../src/repository/lease.ts'
import type { BackupManifest } from '../../src/repository/manifest.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { type KnownCommit, nextCommit, storeCommits } from '../support/log-history.ts'
import { PageSource } from '../support/page-source.ts'
import { seededRandom } from '../support/random.ts'
import { readState } from '../support/read-state.ts'

/** full ← incremental ← incremental "kept", then a full on its own; the oldest first. */
async function history(storage: MemoryStorage = new MemoryStorage()) {
  const repository = await Repository.init(storage)
  const database = repository.database('app')
  const source = new PageSource().fill(40, 1)
  const backups: { metadata: BackupManifest; image: Buffer }[] = []
  const chain = [
    { type: 'full' },
    { type: 'incremental' },
    { type: 'incremental', name: 'kept' },
    { type: 'full' },
  ] as const
  for (const [i, options] of chain.entries()) {
    source.change(i + 1, 100 + i)
    const { metadata } = await createBackup(source, repository, options)
    backups.push({ metadata, image: source.image() })
  }
  const ids = backups.map(({ metadata }) => metadata.id)
  const assertRestorable = async (...indexes: number[]) => {
    const { backups: left } = await database.catalog()
    assert.deepEqual(
      left.map(({ id }) => id),
      indexes.map((i) => ids[i]),
    )
    for (const i of indexes)
      assert.deepEqual(await readState(database, backups[i]?.metadata.lsn ?? 0), backups[i]?.image)
    assert.deepEqual((await verifyRepository(repository)).findings, [])
  }
  return { repository, database, source, backups, id: (i: number) => ids[i] ?? '', assertRestorable }
}

const timesOf = ({ capturedAt }: BackupManifest) => {
  const time = Date.parse(capturedAt)
  return { firstTime: time, lastTime: time }
}

const needed = (pattern: RegExp) => (error: unknown) =>
  hasCode(error, 'BACKUP_NEEDED') && pattern.test(`${error.message} ${error.hint}`)

describe('deleting a backup', () => {
  it('takes its manifest and its segment, and nothing that another needs', async () => {
    const { repository, database, source, backups, id, assertRestorable } = await history()
    await createBackup(source, repository, { type: 'full' })
    const deleted = await deleteBackup(database, id(3))
    assert.equal(deleted.backup.id, id(3))
    assert.deepEqual(deleted.deletedSegments, [backups[3]?.metadata.segment])
    assert.equal(deleted.freedBytes, backups[3]?.metadata.storedBytes)
    assert.equal(await database.storage.head(backups[3]?.metadata.segment ?? ''), undefined)
    const { backups: left } = await database.catalog()
    assert.equal(left.length, 4)
    await deleteBackup(database, left.at(-1)?.id ?? '', { force: true })
    await assertRestorable(0, 1, 2)
  })

  it('is refused while others build on it, and names them', async () => {
    const { database, id, assertRestorable } = await history()
    await assert.rejects(
      deleteBackup(database, id(0)),
      needed(
        new RegExp(
          `needed to restore ${id(2)} \\(kept\\), ${id(1)}\\. Delete those, in this order, before this one\\.$`,
        ),
      ),
    )
    await assert.rejects(
      deleteBackup(database, id(1), { force: true }),
      needed(new RegExp(`${id(2)} \\(kept\\)\\. Delete that one before this one\\.$`)),
    )
    await assertRestorable(0, 1, 2, 3)
  })

  it('is refused with a hint that says what else must be done before: unpin, or make another first', async () => {
    const { repository, database, source, id } = await history()
    await pinBackup(database, id(2))
    await assert.rejects(deleteBackup(database, id(1)), needed(new RegExp(`Unpin first: ${id(2)}\\.$`)))
    const last = await createBackup(source.change(3, 3), repository, { type: 'incremental' })
    await assert.rejects(
      deleteBackup(database, id(3)),
      needed(new RegExp(`restore ${last.metadata.id}\\. Make a full backup, then delete that one before this one`)),
    )
  })

  it('is refused while it is pinned, whatever is said, until it is unpinned', async () => {
    const { repository, database, source, id, assertRestorable } = await history()
    const pinned = (words: RegExp) => (error: unknown) =>
      hasCode(error, 'BACKUP_PINNED') && words.test(`${error.message} ${error.hint}`)
    const { metadata: mark } = await createBackup(source, repository, { type: 'snapshot', name: 'mark' })
    await createBackup(source, repository, { type: 'full' })
    for (const options of [{}, { force: true }, { dryRun: true }])
      await assert.rejects(
        deleteBackup(database, 'mark', options),
        pinned(new RegExp(`"mark" is pinned, as every snapshot is .* holdfast unpin ${mark.id}, then delete it`)),
      )
    await unpinBackup(database, 'mark')
    await deleteBackup(database, 'mark')
    await pinBackup(database, id(2))
    await assert.rejects(deleteBackup(database, id(2)), pinned(/is pinned, so it is to be kept/))
    const { backups } = await database.catalog()
    await deleteBackup(database, backups.at(-1)?.id ?? '', { force: true })
    await assertRestorable(0, 1, 2, 3)
  })

  it('is refused if it is pinned while its deletion begins', async () => {
    const inner = new MemoryStorage()
    const { database, id, assertRestorable } = await history(inner)
    const put = inner.put.bind(inner)
    let isPinned = false
    inner.put = async (key, body, options) => {
      if (key.endsWith('retention.json') && !isPinned) {
        isPinned = true
        await pinBackup(database, id(2))
      }
      return await put(key, body, options)
    }
    await assert.rejects(deleteBackup(database, id(2)), (error) => hasCode(error, 'BACKUP_PINNED'))
    assert.ok(isPinned)
    await assertRestorable(0, 1, 2, 3)
  })

  it('goes from the end of a chain to its beginning', async () => {
    const { database, id, assertRestorable } = await history()
    for (const [i, name] of [
      [2, 'kept'],
      [1, id(1).slice(0, 10)],
      [0, id(0)],
    ] as const) {
      const { deletedSegments } = await deleteBackup(database, name)
      assert.equal(deletedSegments.length, 1)
      await assertRestorable(...[0, 1, 2, 3].filter((other) => other < i || other === 3))
    }
    const keys: string[] = []
    for await (const { key } of database.storage.list('databases/app/segments/')) keys.push(key)
    assert.equal(keys.length, 1, 'no segment is left without a backup')
  })

  it('removes one after the other what a lost segment has made worthless, and nothing else', async () => {
    const { repository, database, backups, source, id, assertRestorable } = await history()
    await database.storage.delete(backups[0]?.metadata.segment ?? '')
    await assert.rejects(deleteBackup(database, id(3), { force: true }), (error) => hasCode(error, 'INTEGRITY'))
    for (const i of [2, 1, 0]) await deleteBackup(database, id(i))
    await assertRestorable(3)
    const next = await createBackup(source.change(9, 9), repository, { type: 'incremental' })
    assert.deepEqual(await readState(database, next.metadata.lsn), source.image())
  })

  it('leaves the newest backup of a sound database alone, unless that is really meant', async () => {
    const { repository, database, source, id, assertRestorable } = await history()
    await assert.rejects(deleteBackup(database, id(3)), needed(/newest one of a sound database.*--force/))
    source.findings = ['row 3 missing from index']
    const damaged = await createBackup(source, repository, { type: 'full', allowDamaged: true })
    await assert.rejects(
      deleteBackup(database, id(3)),
      needed(/newest one of a sound database/),
      'a newer damaged one does not count',
    )
    await deleteBackup(database, damaged.metadata.id)
    await deleteBackup(database, id(3), { force: true })
    await assertRestorable(0, 1, 2)
  })

  it('tells what it would delete, and does not, in a dry run', async () => {
    const { database, id, backups, assertRestorable } = await history()
    const planned = await deleteBackup(database, id(2), { dryRun: true })
    assert.deepEqual(planned.deletedSegments, [backups[2]?.metadata.segment])
    await assert.rejects(deleteBackup(database, id(0), { dryRun: true }), needed(/is needed/))
    await assertRestorable(0, 1, 2, 3)
  })

  it('does not know what is not there', async () => {
    const { database } = await history()
    for (const name of ['nosuchbackup', ''])
      await assert.rejects(deleteBackup(database, name), (error) => hasCode(error, 'BACKUP_NOT_FOUND'))
  })

  it('waits for nobody: it is refused while a backup runs', async () => {
    const { repository, database, source, id } = await history()
    const started = Promise.withResolvers<void>()
    const running = createBackup(source, repository, {
      type: 'full',
      onProgress: ({ phase }) => {
        if (phase === 'copy') started.resolve()
      },
    })
    await started.promise
    await assert.rejects(deleteBackup(database, id(2)), (error) => hasCode(error, 'LEASE_HELD'))
    assert.equal((await deleteBackup(database, id(2), { dryRun: true })).backup.id, id(2))
    await running
    await deleteBackup(database, id(2))
  })

  it('that ends between manifest and segment leaves a harmless segment', async () => {
    const inner = new MemoryStorage()
    const { repository, database, source, backups, id, assertRestorable } = await history(inner)
    const faulty = new FaultStorage(inner, {
      latencyMs: ({ name, key }) => {
        if (name === 'delete' && key.endsWith('.hfs')) throw new Error('killed')
        return 0
      },
    })
    await assert.rejects(deleteBackup((await Repository.open(faulty)).database('app'), id(2)))
    assert.equal(
      await inner.head(manifestKey('app', backups[2]?.metadata ?? { capturedAt: '', type: 'full', id: '' })),
      undefined,
    )
    assert.notEqual(await inner.head(backups[2]?.metadata.segment ?? ''), undefined)
    await assertRestorable(0, 1, 3)
    const next = await createBackup(source.change(9, 9), repository, { type: 'incremental' })
    assert.deepEqual(await readState(database, next.metadata.lsn), source.image())
    await deleteBackup(database, id(1))
    assert.deepEqual((await verifyRepository(repository)).findings, [])
  })

  it('leaves whatever the logs of a followed database stand on', async () => {
    const repository = await Repository.init(new MemoryStorage())
    const database = repository.database('app')
    const source = new PageSource().fill(20, 1)
    const first = await createBackup(source, repository, { type: 'full' })
    const random = seededRandom(7)
    const pages = Array.from({ length: 20 }, (_, i) => source.image().subarray(i * 512, (i + 1) * 512))
    const commits: KnownCommit[] = [{ lsn: toLsn(first.metadata.lsn), time: Date.now() + 1000, pages }]
    for (let i = 0; i < 5; i += 1)
      commits.push(nextCommit(commits.at(-1) ?? assert.fail(), () => random.below(1000) / 1000, 512))
    const [before = assert.fail(), ...after] = commits
    await storeCommits(database, before, after, 'log', 512)
    await deleteBackup(database, first.metadata.id, { force: true })
    const { segments } = await database.catalog()
    for (const { lsn } of commits) assert.equal(planRestore(segments, lsn).steps[0]?.segment.kind, 'base')
    assert.deepEqual((await verifyRepository(repository, { level: 'data' })).findings, [])
  })

  it('under the lease of whoever follows, leaves the state that is built on next, and what is being stored', async () => {
    const { repository, database, source, backups, id, assertRestorable } = await history()
    await using lease = await Lease.acquire(database, { purpose: 'follow' })
    const removeNewest = () => deleteBackup(database, id(3), { lease, force: true })
    await assert.rejects(
      removeNewest(),
      (error) => hasCode(error, 'BACKUP_NEEDED') && /goes on from/.test(error.message),
    )
    const state = backups[3]?.metadata ?? assert.fail()
    const { firstTime: time } = timesOf(state)
    const promise = { fromLsn: zeroLsn, toLsn: toLsn(state.lsn), fromTime: time, toTime: time, reason: 'first state' }
    await database.putGap(promise)
    assert.deepEqual((await removeNewest()).deletedSegments, [])
    assert.deepEqual(await readState(database, backups[3]?.metadata.lsn ?? 0), source.image())
    const other = await deleteBackup(database, id(2), { lease, force: true })
    assert.deepEqual(other.deletedSegments, [backups[2]?.metadata.segment])
    const { metadata } = backups[1] ?? assert.fail()
    const base = { kind: 'base', from: zeroLsn, to: toLsn(metadata.lsn), epoch: 1, ...timesOf(metadata) } as const
    const pending = segmentKey('app', base)
    await lease.claim(lease.lsn, pending)
    await database.storage.put(pending, Buffer.from('not whole yet'))
    const { deletedSegments } = await deleteBackup(database, id(1), { lease, force: true })
    assert.deepEqual(deletedSegments, [metadata.segment])
    assert.ok(await database.storage.head(pending))
    await database.storage.delete(pending)
    await assertRestorable(0)
    lease.assertHeld()
    assert.equal((await verifyRepository(repository)).ok, true)
  })
})
