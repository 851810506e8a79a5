/** A storage that fails is no damage: verification says so, or finishes, and never calls a sound backup lost. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { FaultMoment, FaultPlan } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { RetryStorage } from '../../src/storage/retry/retry-storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'
import { readState } from '../support/read-state.ts'

async function filled(): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  const source = new PageSource().fill(100, 1)
  await createBackup(source, repository, { type: 'full' })
  await createBackup(source.change(3, 7), repository, { type: 'incremental' })
  return storage
}

const moments: FaultMoment[] = ['before', 'after', 'midway']

describe('a verification whose n-th storage operation fails', () => {
  for (const moment of moments) {
    it(`${moment} taking effect ends with that failure, and the next one runs`, async () => {
      const storage = await filled()
      let failures = 0
      for (let failAt = 0; ; failAt++) {
        const faulty = new FaultStorage(storage, { failAt, moment })
        try {
          const { findings } = await verifyRepository(await Repository.open(faulty))
          assert.deepEqual(findings, [])
        } catch (error) {
          assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error))
          failures++
        }
        if (!faulty.tripped) break
        assert.deepEqual((await verifyRepository(await Repository.open(storage))).findings, [])
      }
      assert.ok(failures > 5, `only ${failures}`)
    })

    it(`${moment} taking effect is not noticed with retries`, async () => {
      const storage = await filled()
      for (let failAt = 0; ; failAt++) {
        const faulty = new FaultStorage(storage, { failAt, moment })
        const retrying = new RetryStorage(faulty, { sleep: async () => undefined })
        assert.deepEqual((await verifyRepository(await Repository.open(retrying))).findings, [])
        if (!faulty.tripped) break
      }
    })
  }

  it('and reads that are wrong are findings against that object', async () => {
    const storage = await filled()
    const { segments } = await (await Repository.open(storage)).database('app').catalog()
    for (const { key, bytes } of segments) {
      const plans: FaultPlan[] = [{ damage: [{ key, flipAt: bytes >> 1 }] }, { damage: [{ key, cutAt: bytes >> 1 }] }]
      for (const plan of plans) {
        const { findings } = await verifyRepository(await Repository.open(new FaultStorage(storage, plan)))
        assert.deepEqual(
          findings.map(({ object }) => object),
          [key],
        )
      }
    }
    assert.deepEqual((await verifyRepository(await Repository.open(storage))).findings, [])
  })
})

describe('a storage whose listings lag', () => {
  it('makes new backups appear late, and never makes a sound repository look damaged for good', async () => {
    for (const listLag of [1, 2, 5, 20]) {
      const inner = new MemoryStorage()
      const lagging = new FaultStorage(inner, { listLag })
      const source = new PageSource().fill(60, 1)
      const repository = await Repository.init(lagging)
      const images = new Map<number, Buffer>()
      for (let i = 0; i < 6; i++) {
        source.change(1 + i, 100 + i)
        try {
          const { metadata } = await createBackup(source, repository, {
            type: i === 0 ? 'full' : 'snapshot',
            name: `n${i}`,
          })
          assert.ok(
            !images.has(metadata.lsn) || images.get(metadata.lsn)?.equals(source.image()),
            `LSN ${metadata.lsn} was given twice`,
          )
          images.set(metadata.lsn, source.image())
        } catch (error) {
          assert.ok(error instanceof HoldfastError && error.code !== 'INTERNAL', String(error))
        }
      }
      const settled = await Repository.open(inner)
      assert.deepEqual((await verifyRepository(settled)).findings, [], `lag ${listLag}`)
      for (const [lsn, image] of images)
        assert.deepEqual(await readState(settled.database('app'), lsn), image, `lag ${listLag}, LSN ${lsn}`)
    }
  })
})

describe('a deletion whose n-th storage operation fails', () => {
  for (const crash of [false, true]) {
    for (const moment of moments) {
      it(`${moment} taking effect${crash ? ', and all that follow,' : ''} leaves every other backup whole`, async () => {
        for (let failAt = 0; ; failAt++) {
          const inner = new MemoryStorage()
          const source = new PageSource().fill(60, 1)
          const sound = await Repository.init(inner)
          const kept = await createBackup(source, sound, { type: 'full' })
          const image = source.image()
          const doomed = await createBackup(source.change(2, 9), sound, { type: 'incremental' })
          const newest = await createBackup(source.change(3, 9), sound, { type: 'full' })
          const faulty = new FaultStorage(inner, { failAt, moment, crash })
          try {
            await deleteBackup((await Repository.open(faulty)).database('app'), doomed.metadata.id)
          } catch (error) {
            assert.ok(error instanceof HoldfastError && error.code !== 'INTERNAL', String(error))
          }
          const database = sound.database('app')
          assert.deepEqual((await verifyRepository(sound)).findings, [], `operation ${failAt}`)
          assert.deepEqual(await readState(database, kept.metadata.lsn), image)
          assert.deepEqual(await readState(database, newest.metadata.lsn), source.image())
          const { backups } = await database.catalog()
          if (backups.some(({ id }) => id === doomed.metadata.id)) await deleteBackup(database, doomed.metadata.id)
          if (!faulty.tripped) break
        }
      })
    }
  }
})
