/** A lease that ran out is taken again only if the history still ends where its holder left it. */
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { LeaseKeeper } from '../../src/capture/upload/lease-keeper.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo } from '../../src/storage/storage.ts'
import { PageSource } from '../support/page-source.ts'

const { signal } = new AbortController()

/** Lists when it is told to, and fails as often as it is told to. */
class SlowList extends MemoryStorage {
  failures = 0
  asked = Promise.withResolvers<void>()
  gate = Promise.resolve()

  override async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    this.asked.resolve()
    await this.gate
    if (this.failures > 0) {
      this.failures -= 1
      throw new HoldfastError('STORAGE_TRANSIENT', 'It is away.')
    }
    yield* super.list(prefix)
  }
}

/** A follower left the history at LSN 1. Its lease has run out; with `isOther`, somebody else has written LSN 2 since. */
async function afterSleep(context: TestContext, isOther: boolean) {
  const storage = new SlowList()
  const database = (await Repository.init(storage)).database('app')
  const source = new PageSource().fill(10, 1)
  await createBackup(source, database.repository, { type: 'full' })
  const keeper = await LeaseKeeper.acquire(database, {})
  await keeper.seen((await database.catalog()).segments)
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 })
  if (isOther) await createBackup(source.change(1, 9), database.repository, { type: 'incremental' })
  return { storage, keeper }
}

const ends = [toLsn(1)]
const isLost = (error: unknown) => hasCode(error, 'LEASE_LOST')

it('a lease that ran out is taken again by one of several who ask, in a higher epoch', async (context) => {
  const { keeper } = await afterSleep(context, false)
  const { lease } = keeper
  await Promise.all([keeper.assertHeld(ends, signal), keeper.assertHeld(ends, signal)])
  assert.equal(keeper.epoch, 2)
  assert.notEqual(keeper.lease, lease)
  await keeper.assertHeld(ends, signal)
  await keeper[Symbol.asyncDispose]()
})

it('nobody who asks while it is looked at whether another has written since passes before that is known', async (context) => {
  const { storage, keeper } = await afterSleep(context, true)
  const gate = Promise.withResolvers<void>()
  storage.gate = gate.promise
  storage.asked = Promise.withResolvers()
  const first = assert.rejects(keeper.assertHeld(ends, signal), isLost)
  await storage.asked.promise
  const second = assert.rejects(keeper.assertHeld(ends, signal), isLost)
  gate.resolve()
  await Promise.all([first, second])
})

it('nobody passes after that could not be looked at', async (context) => {
  const { storage, keeper } = await afterSleep(context, true)
  storage.failures = 1
  await assert.rejects(keeper.assertHeld(ends, signal), (error) => hasCode(error, 'STORAGE_TRANSIENT'))
  await assert.rejects(keeper.assertHeld(ends, signal), isLost)
  assert.equal(keeper.epoch, 1)
})

/** A follower left the history at LSN 1, and holds its lease. Somebody deletes the document a minute later. */
async function afterDeletion(context: TestContext) {
  const storage = new MemoryStorage()
  const database = (await Repository.init(storage)).database('app')
  const source = new PageSource().fill(10, 1)
  await createBackup(source, database.repository, { type: 'full' })
  const keeper = await LeaseKeeper.acquire(database, {})
  await keeper.seen((await database.catalog()).segments)
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  await storage.delete(leaseKey('app'))
  return { database, source, keeper }
}

it('a lease whose document was deleted is taken again in a higher epoch if nobody took it', async (context) => {
  const { keeper } = await afterDeletion(context)
  await keeper.assertHeld(ends, signal)
  assert.equal(keeper.epoch, 2)
  await keeper.release()
})

it('a lease that somebody took after its document was deleted is known to be lost within a minute of uploads', async (context) => {
  const { database, source, keeper } = await afterDeletion(context)
  await createBackup(source.change(1, 9), database.repository, { type: 'incremental' })
  await assert.rejects(keeper.assertHeld(ends, signal), isLost)
})

it('a lease that somebody took after its document was deleted is told to be lost with its release', async (context) => {
  const { database, source, keeper } = await afterDeletion(context)
  await createBackup(source.change(1, 9), database.repository, { type: 'incremental' })
  await assert.rejects(keeper.release(), isLost)
  await keeper[Symbol.asyncDispose]()
})
