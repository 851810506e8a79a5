/** Every single storage operation of a restore fails once, or answers wrongly: the target is untouched or exactly right. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import type { FaultMoment, FaultPlan } from '../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { RetryStorage } from '../../src/storage/retry/retry-storage.ts'
import { backupChains, type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { segmentOf } from '../support/segment-of.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const moments: FaultMoment[] = ['before', 'after', 'midway']
const storage = new MemoryStorage()
const folder = temporaryFolder()
const target = folder.file('restored.db')
let known: KnownBackup[] = []
let wanted: KnownBackup
let other: Buffer

before(async () => {
  using sources = temporaryFolder()
  known = await backupChains(new SampleDatabase(sources.path), await Repository.init(storage))
  const [first, , third] = known
  assert.ok(first && third)
  wanted = third
  other = first.image
})
after(() => folder[Symbol.dispose]())

interface Attempt {
  readonly faulty: FaultStorage
  readonly error: HoldfastError | undefined
}

/** A restore over another state, through a storage with this fault. */
async function restoreWith(plan: FaultPlan, delta: boolean, retry = false): Promise<Attempt> {
  writeFileSync(target, other)
  const faulty = new FaultStorage(storage, plan)
  const used = retry ? new RetryStorage(faulty, { sleep: async () => undefined }) : faulty
  let error: HoldfastError | undefined
  try {
    const repository = await Repository.open(used)
    const state = { by: 'backup', id: wanted.metadata.id } as const
    const options = { state, targetPath: target, force: true, delta, validation: 'none' } as const
    await restoreDatabase(repository.database('app'), options)
  } catch (thrown) {
    assert.ok(thrown instanceof HoldfastError, String(thrown))
    assert.notEqual(thrown.code, 'INTERNAL', thrown.stack)
    error = thrown
  }
  const found = readFileSync(target)
  assert.ok(found.equals(error === undefined ? wanted.image : other), `${error?.message}: neither old nor new`)
  assert.deepEqual(readdirSync(folder.path), ['restored.db'], 'nothing is left behind')
  return { faulty, error }
}

describe('a restore whose n-th storage operation fails', () => {
  for (const delta of [false, true]) {
    for (const moment of moments) {
      it(`${moment} taking effect leaves the old file${delta ? ' (delta)' : ''}`, async () => {
        let failures = 0
        for (let failAt = 0; ; failAt++) {
          const { faulty, error } = await restoreWith({ failAt, moment }, delta)
          if (error !== undefined) failures++
          if (!faulty.tripped) break
        }
        assert.ok(failures > 8, `only ${failures} operations made a restore fail`)
      })
    }
  }

  it('and with it all that follow, leaves the old file', async () => {
    for (let failAt = 0; ; failAt++) {
      const { faulty, error } = await restoreWith({ failAt, crash: true }, failAt % 2 === 0)
      if (!faulty.tripped) break
      assert.notEqual(error, undefined)
    }
  })

  it('in passing goes on where it was, with retries', async () => {
    for (const moment of moments) {
      for (let failAt = 0; ; failAt++) {
        const { faulty, error } = await restoreWith({ failAt, moment }, false, true)
        assert.equal(error, undefined)
        if (!faulty.tripped) break
      }
    }
  })
})

describe('a restore that reads something else than was stored', () => {
  const seed = testSeed()

  it(`is refused, whichever byte it is (HOLDFAST_SEED=${seed})`, async () => {
    const random = seededRandom(seed)
    let refused = 0
    const needed = new Set(known.slice(0, 3).map(({ metadata }) => segmentOf(metadata)))
    for (const key of needed) {
      const size = (await storage.head(key))?.size ?? 0
      for (let i = 0; i < 6; i++) {
        const at = random.below(size)
        const { error } = await restoreWith(
          { damage: [random.chance(50) ? { key, flipAt: at } : { key, cutAt: at }] },
          random.chance(50),
        )
        // What the wanted state has from a later segment is not read.
        if (error === undefined) continue
        assert.equal(error.code, 'INTEGRITY', error.message)
        refused++
      }
    }
    assert.ok(refused > 6, `only ${refused} were refused`)
  })

  it('does not touch a target that was not there', async () => {
    const plan: FaultPlan = { damage: [{ key: segmentOf(wanted.metadata), cutAt: 200 }] }
    const repository = await Repository.open(new FaultStorage(storage, plan))
    const fresh = folder.file('fresh.db')
    await assert.rejects(
      restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath: folder.file('nowhere/x.db') }),
    )
    const state = { by: 'backup', id: wanted.metadata.id } as const
    await assert.rejects(restoreDatabase(repository.database('app'), { state, targetPath: fresh }))
    assert.equal(existsSync(fresh), false)
  })
})
