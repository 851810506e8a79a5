import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Lease, leaseHolder, leaseState } from '../../src/repository/lease.ts'
import type { LeaseDocument } from '../../src/repository/lease-document.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { heldHint } from '../../src/util/held-hint.ts'
import { currentProcess } from '../../src/util/process-identity.ts'

async function newDatabase(): Promise<DatabaseRepository> {
  return (await Repository.init(new MemoryStorage())).database('app')
}

const purpose = 'test'
const held = (error: unknown) => hasCode(error, 'LEASE_HELD')

async function plant(database: DatabaseRepository, changes: Partial<LeaseDocument>): Promise<void> {
  const now = Date.now()
  const document: LeaseDocument = {
    epoch: 4,
    released: false,
    lsn: 0,
    pending: null,
    nonce: 'planted',
    owner: { ...currentProcess(), host: 'elsewhere' },
    purpose: 'backup',
    acquiredAt: new Date(now).toISOString(),
    expiresAt: new Date(now + 60_000).toISOString(),
    ...changes,
  }
  await writeDocument(database.storage, 'lease', leaseKey(database.name), document)
}

describe('a lease', () => {
  it('has one holder', async () => {
    const database = await newDatabase()
    {
      await using lease = await Lease.acquire(database, { purpose })
      assert.equal(lease.epoch, 1)
      await assert.rejects(Lease.acquire(database, { purpose }), held)
      assert.equal((await leaseHolder(database))?.purpose, purpose)
    }
    assert.equal(await leaseHolder(database), undefined)
    await using next = await Lease.acquire(database, { purpose })
    assert.equal(next.epoch, 1, 'a clean hand-over is no takeover')
  })

  it('that a container left is free for the next one with the same state folder, which nothing else could tell', async () => {
    const database = await newDatabase()
    await plant(database, { home: 'folder-1', lsn: 7 })
    await assert.rejects(Lease.acquire(database, { purpose }), held)
    await assert.rejects(Lease.acquire(database, { purpose, home: 'folder-2' }), held)
    await using lease = await Lease.acquire(database, { purpose, home: 'folder-1' })
    assert.deepEqual([lease.epoch, lease.lsn], [5, 7], 'a takeover, as of any holder that did not release')
    await assert.rejects(Lease.acquire(database, { purpose }), held)
  })

  it('goes to exactly one of many who want it at once', async () => {
    const database = await newDatabase()
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => Lease.acquire(database, { purpose })))
    const won = results.filter((result) => result.status === 'fulfilled')
    assert.equal(won.length, 1)
    for (const result of results) if (result.status === 'rejected') assert.ok(held(result.reason))
    for (const { value } of won) await value[Symbol.asyncDispose]()
  })

  it('says when all was there last, with each write for which that is so; whoever comes after keeps it', async () => {
    const database = await newDatabase()
    const saidAt = async () => (await leaseState(database))?.document.coveredAt
    const all: { at: number | undefined } = { at: undefined }
    {
      await using lease = await Lease.acquire(database, { purpose, coveredAt: () => all.at })
      await lease.confirm()
      assert.equal(await saidAt(), undefined)
      all.at = Date.now() + 300 * 86_400_000
      await lease.confirm()
      // The clock was wrong: what was said then does not stay.
      all.at = Date.parse('2026-03-01T12:00:00.000Z')
      await lease.confirm()
      assert.equal(await saidAt(), '2026-03-01T12:00:00.000Z')
      all.at -= 1000
      await lease.confirm()
      assert.equal(await saidAt(), '2026-03-01T12:00:00.000Z')
      all.at = undefined
    }
    const said = await saidAt()
    assert.notEqual(said, undefined)
    await using next = await Lease.acquire(database, { purpose: 'backup' })
    await next.confirm()
    assert.equal(await saidAt(), said)
  })

  it('is waited for when asked', async () => {
    const database = await newDatabase()
    const first = await Lease.acquire(database, { purpose })
    const second = Lease.acquire(database, { purpose, waitMs: 30_000 })
    await sleep(20)
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
  })

  it('of another machine is respected until it has expired for sure', async () => {
    const database = await newDatabase()
    await plant(database, {})
    await assert.rejects(Lease.acquire(database, { purpose }), held)
    await plant(database, { expiresAt: new Date(Date.now() - 1_000).toISOString() })
    await assert.rejects(Lease.acquire(database, { purpose }), held)
    await plant(database, { expiresAt: new Date(Date.now() - 31_000).toISOString() })
    await using lease = await Lease.acquire(database, { purpose })
    assert.equal(lease.epoch, 5, 'a takeover raises the epoch')
  })

  it('of a machine whose clock was ahead says how it can be freed, and is free where that was done', async () => {
    const database = await newDatabase()
    const [acquiredAt, expiresAt] = ['2099-01-01T00:00:00.000Z', '2099-01-01T01:00:00.000Z']
    await plant(database, { acquiredAt, expiresAt })
    await assert.rejects(Lease.acquire(database, { purpose }), (error) => {
      assert.ok(hasCode(error, 'LEASE_HELD') && error instanceof HoldfastError)
      assert.match(error.hint ?? '', /elsewhere was ahead .* ends at 2099-.* delete databases\/app\/lease\.json/)
      return true
    })
    await plant(database, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
    await assert.rejects(Lease.acquire(database, { purpose }), { code: 'LEASE_HELD', hint: heldHint })
    await database.storage.delete(leaseKey('app'))
    await using _ = await Lease.acquire(database, { purpose })
  })

  it('whose former document was lost has an epoch above all of the history, once, and hands that on', async () => {
    const database = await newDatabase()
    {
      await using lease = await Lease.acquire(database, { purpose })
      await lease.raiseEpoch(0)
      assert.equal(lease.epoch, 1, 'a history without anything')
    }
    await database.storage.delete(leaseKey(database.name))
    const heir = await Lease.acquire(database, { purpose })
    await heir.raiseEpoch(4)
    assert.equal(heir.epoch, 5)
    await heir.raiseEpoch(5)
    assert.equal(heir.epoch, 5, 'now the history has what it wrote itself')
    assert.equal((await leaseState(database))?.document.epoch, 5, 'written down before anything else is')
    await plant(database, {
      ...(await leaseState(database))?.document,
      nonce: 'planted',
      expiresAt: '2026-01-01T00:00:00.000Z',
      owner: { ...currentProcess(), host: 'elsewhere' },
    })
    await using next = await Lease.acquire(database, { purpose })
    await next.raiseEpoch(5)
    assert.equal(next.epoch, 6, 'a takeover, as of any holder')
  })

  it('that was lost is not forgotten over holders who write no segment', async () => {
    const database = await newDatabase()
    for (let holders = 0; holders < 2; holders += 1) {
      await using lease = await Lease.acquire(database, { purpose })
      await lease.confirm()
      assert.equal(lease.epoch, 1)
    }
    await using lease = await Lease.acquire(database, { purpose })
    // That is the epoch which it began with, too: only the note tells that it was not handed down.
    await lease.raiseEpoch(1)
    assert.equal(lease.epoch, 2)
  })

  it('that says less than the history was lost too', async () => {
    const database = await newDatabase()
    await plant(database, { epoch: 2, released: true })
    await using lease = await Lease.acquire(database, { purpose })
    await lease.raiseEpoch(2)
    assert.equal(lease.epoch, 2)
    await lease.raiseEpoch(6)
    assert.equal(lease.epoch, 7)
  })

  it('of a killed process of this machine is free at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-lease-'))
    try {
      await using repository = await Repository.init(await openStorage(folder))
      const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/lease-holder.ts'), folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      const database = repository.database('app')
      await assert.rejects(Lease.acquire(database, { purpose }), held)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await using lease = await Lease.acquire(database, { purpose })
      assert.equal(lease.epoch, 2)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('of a process whose id was given to another is free', async () => {
    const database = await newDatabase()
    const { startedAt, ...identity } = currentProcess()
    await plant(database, { owner: { ...identity, startedAt: `${startedAt}0` } })
    await using lease = await Lease.acquire(database, { purpose })
    assert.equal(lease.epoch, 5)
  })

  it('that is damaged protects nothing', async () => {
    const database = await newDatabase()
    await database.storage.put(leaseKey('app'), Buffer.from('{"holdfast":"lease"'))
    await using lease = await Lease.acquire(database, { purpose })
    lease.assertHeld()
  })

  it('that is damaged while somebody holds it is put right with the next renewal', async () => {
    const database = await newDatabase()
    await using lease = await Lease.acquire(database, { purpose })
    await database.storage.put(leaseKey('app'), Buffer.from('{"holdfast":"lease"'))
    await lease.claim(7, 'segment')
    const held = await leaseHolder(database)
    assert.deepEqual([held?.lsn, held?.purpose], [7, purpose])
    await database.storage.put(leaseKey('app'), Buffer.from('{"holdfast":"lease"'))
    await using thief = await Lease.acquire(database, { purpose: 'another' })
    await assert.rejects(lease.confirm(), { code: 'LEASE_LOST' })
    await thief.confirm()
  })

  it('is renewed while held, and its loss noticed', async () => {
    const database = await newDatabase()
    await using lease = await Lease.acquire(database, { purpose, ttlMs: 60 })
    await sleep(200)
    lease.assertHeld()
    await plant(database, { nonce: 'thief' })
    while (!lease.signal.aborted) await sleep(10)
    assert.throws(
      () => lease.assertHeld(),
      (error) => hasCode(error, 'LEASE_LOST'),
    )
  })
})

describe('a lease that is in use', () => {
  it('is not written again after its release, whatever renewals were under way', async () => {
    const database = await newDatabase()
    const lease = await Lease.acquire(database, { purpose, ttlMs: 30 })
    await Promise.all([lease.claim(3, 'segment'), lease.confirm(), lease[Symbol.asyncDispose]()])
    const { etag } = (await database.storage.head(leaseKey('app'))) ?? assert.fail()
    await sleep(100)
    assert.equal((await database.storage.head(leaseKey('app')))?.etag, etag)
    assert.equal(await leaseHolder(database), undefined)
    await using next = await Lease.acquire(database, { purpose })
    assert.equal(next.lsn, 3, 'an LSN that was given out stays so')
  })

  it('survives a renewal whose answer was lost, and notices a takeover at the next confirmation', async () => {
    const storage = new MemoryStorage()
    await Repository.init(storage)
    const faulty = new FaultStorage(storage, { failAt: 4, moment: 'after' })
    const database = (await Repository.open(faulty)).database('app')
    await using lease = await Lease.acquire(database, { purpose })
    while (!faulty.tripped)
      await lease.confirm().catch((error: unknown) => assert.ok(hasCode(error, 'STORAGE_TRANSIENT')))
    await lease.confirm()
    await plant((await Repository.open(storage)).database('app'), { nonce: 'thief' })
    await assert.rejects(lease.confirm(), (error) => hasCode(error, 'LEASE_LOST'))
  })

  it('of another machine with the same host name is not taken for dead', async () => {
    const database = await newDatabase()
    const [, namespace] = currentProcess().bootId.split('/')
    const bootId = `11111111-2222-3333-4444-555555555555/${namespace}/0123456789abcdef0123456789abcdef`
    await plant(database, { owner: { ...currentProcess(), bootId } })
    await assert.rejects(Lease.acquire(database, { purpose }), held)
  })
})
