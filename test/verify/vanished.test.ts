/** What upkeep deletes while it is verified is no damage, and is not remembered as such, however the verification ends. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { GetOptions, ObjectInfo, OperationOptions } from '../../src/storage/storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'

/** Before the n-th reading of a segment from then on, something else happens. */
class Interrupted extends MemoryStorage {
  readonly #works: (readonly [left: number, work: () => Promise<void>])[] = []

  after(readings: number, work: () => Promise<void>): void {
    this.#works.push([readings, work])
  }

  isListless = false

  override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    if (this.isListless) throw new HoldfastError('STORAGE_TRANSIENT', 'It is away.')
    yield* super.list(prefix, options)
  }

  override async *get(key: string, options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined> {
    if (key.endsWith('.hfs')) {
      const due = this.#works.map(([left, work]) => [left - 1, work] as const)
      this.#works.splice(0, Number.POSITIVE_INFINITY, ...due.filter(([left]) => left > 0))
      for (const [left, work] of due) if (left === 0) await work()
    }
    yield* super.get(key, options)
  }
}

/** Changes a byte of its first block. */
async function damage(storage: MemoryStorage, key: string): Promise<void> {
  const bytes = Buffer.concat(await Array.fromAsync(storage.get(key)))
  bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200)
  await storage.put(key, bytes)
}

for (const end of ['in order', 'by being stopped'] as const)
  for (const savesOften of [false, true])
    it(`a verification that ends ${end}${savesOften ? ', and writes down what it finds at once,' : ''} remembers no damage of what was deleted under it`, async () => {
      const storage = new Interrupted()
      const repository = await Repository.init(storage)
      const database = repository.database('app')
      const source = new PageSource().fill(50, 1)
      for (let n = 0; n < 8; n += 1) await createBackup(source.change(1, n), repository, { type: 'full' })
      const stop = new AbortController()
      let monotonic = 0
      let isBegun = false
      const onProgress = ({ phase }: { phase: string }): void => {
        if (phase !== 'data' || isBegun) return
        isBegun = true
        storage.after(1, async () => {
          await expireDatabase(database, { last: 3, window: 0 }, { graceMs: 0 })
          if (end === 'by being stopped') storage.after(12, async () => stop.abort())
        })
      }
      const clocks = {
        now: () => Date.now(),
        monotonic: () => {
          if (savesOften) monotonic += 40_000
          return monotonic
        },
      }
      const verifying = verifyRepository(repository, { level: 'data', signal: stop.signal, onProgress }, clocks)
      if (end === 'in order') assert.deepEqual((await verifying).findings, [])
      else await assert.rejects(verifying, (error) => hasCode(error, 'ABORTED'))
      const { segments } = await readLedger(database)
      assert.deepEqual(
        Object.entries(segments).filter(([, { ok }]) => !ok),
        [],
      )
      assert.equal((await database.catalog()).backups.length, 3)
    })

it('a verification that is stopped while nothing can be listed remembers what is sound, and no damage', async () => {
  const storage = new Interrupted()
  const repository = await Repository.init(storage)
  const source = new PageSource().fill(50, 1)
  for (let n = 0; n < 8; n += 1) await createBackup(source.change(1, n), repository, { type: 'full' })
  const stop = new AbortController()
  let isBegun = false
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase !== 'data' || isBegun) return
    isBegun = true
    storage.after(1, async () => {
      await expireDatabase(repository.database('app'), { last: 3, window: 0 }, { graceMs: 0 })
      storage.after(14, async () => {
        storage.isListless = true
        stop.abort()
      })
    })
  }
  await assert.rejects(verifyRepository(repository, { level: 'data', signal: stop.signal, onProgress }))
  storage.isListless = false
  const checked = Object.values((await readLedger(repository.database('app'))).segments)
  assert.ok(checked.length > 0)
  assert.deepEqual(
    checked.filter(({ ok }) => !ok),
    [],
  )
})

it('a verification that has written down damage forgets it where that backup is deleted before it ends', async () => {
  const storage = new Interrupted()
  const repository = await Repository.init(storage)
  const database = repository.database('app')
  const source = new PageSource().fill(50, 1)
  for (let n = 0; n < 4; n += 1) await createBackup(source.change(1, n), repository, { type: 'full' })
  const damaged = (await database.catalog()).backups[0] ?? assert.fail()
  const key = damaged.segment ?? assert.fail()
  await damage(storage, key)
  let monotonic = 0
  const clocks = {
    now: () => Date.now(),
    monotonic: () => {
      monotonic += 40_000
      return monotonic
    },
  }
  let isBegun = false
  let noted: boolean | undefined
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase !== 'data' || isBegun) return
    isBegun = true
    storage.after(6, async () => {
      noted = (await readLedger(database)).segments[key]?.ok
      await deleteBackup(database, damaged.id)
    })
  }
  const { findings } = await verifyRepository(repository, { level: 'data', onProgress }, clocks)
  assert.equal(noted, false)
  assert.deepEqual(findings, [])
  assert.equal((await readLedger(database)).segments[key], undefined)
})

it('a verification remembers no failed trial restore of a backup that was deleted before its turn came', async () => {
  const storage = new Interrupted()
  const repository = await Repository.init(storage)
  const database = repository.database('app')
  const source = new PageSource().fill(50, 1)
  for (let n = 0; n < 4; n += 1) await createBackup(source.change(1, n), repository, { type: 'full' })
  let isBegun = false
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase !== 'restore' || isBegun) return
    isBegun = true
    storage.after(1, async () => {
      await expireDatabase(database, { last: 1, window: 0 }, { graceMs: 0 })
    })
  }
  await verifyRepository(repository, { level: 'restore', onProgress })
  const [kept, ...others] = (await database.catalog()).backups
  assert.deepEqual(others, [])
  assert.deepEqual(Object.keys((await readLedger(database)).restores), [kept?.id])
})

it('a verification that is stopped remembers the damage that it found', async () => {
  const storage = new Interrupted()
  const repository = await Repository.init(storage)
  const database = repository.database('app')
  const source = new PageSource().fill(50, 1)
  for (let n = 0; n < 4; n += 1) await createBackup(source.change(1, n), repository, { type: 'full' })
  const key = (await database.catalog()).backups[0]?.segment ?? assert.fail()
  await damage(storage, key)
  const stop = new AbortController()
  let isBegun = false
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase !== 'data' || isBegun) return
    isBegun = true
    storage.after(6, async () => stop.abort())
  }
  const verifying = verifyRepository(repository, { level: 'data', signal: stop.signal, onProgress })
  await assert.rejects(verifying, (error) => hasCode(error, 'ABORTED'))
  assert.equal((await readLedger(database)).segments[key]?.ok, false)
})
