/** Verification bit by bit: over several databases, in the time that there is, beside others, and after being killed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger } from '../../src/repository/verification-ledger.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import type { Clocks } from '../../src/verify/clocks.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { verifyRolling } from '../../src/verify/verify-rolling.ts'
import { backupChains, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { PageSource } from '../support/page-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Databases with so many segments each. */
async function filled(
  counts: Readonly<Record<string, number>>,
): Promise<{ storage: MemoryStorage; repository: Repository }> {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  for (const [name, count] of Object.entries(counts)) {
    const source = new PageSource(`/data/${name}.db`, name).fill(20, 1)
    for (let i = 0; i < count; i++)
      await createBackup(source.change(1, i), repository, { type: i === 0 ? 'full' : 'incremental' })
  }
  return { storage, repository }
}

/** Every look at it is that much later. */
function clock(stepMs: number): Clocks {
  return { now: ticking(Date.UTC(2026, 10, 21), stepMs), monotonic: ticking(0, stepMs) }
}

function ticking(start: number, stepMs: number): () => number {
  let time = start
  return () => {
    time += stepMs
    return time
  }
}

async function checkedKeys(repository: Repository): Promise<string[]> {
  const names = await repository.databaseNames()
  const ledgers = await Promise.all(names.map((name) => readLedger(repository.database(name))))
  return ledgers.flatMap(({ segments }) => Object.keys(segments)).sort()
}

describe('a rolling verification', () => {
  it('takes its share of all databases together, and comes to everything', async () => {
    const { repository } = await filled({ large: 9, small: 2, tiny: 1 })
    const now = clock(1000)
    for (let run = 1; run <= 4; run++) {
      const { checked, remaining } = await verifyRepository(repository, { subset: 0.25 }, now)
      assert.deepEqual([checked.segments, remaining, checked.manifests], [3, 9, 12])
      assert.equal((await checkedKeys(repository)).length, 3 * run)
    }
  })

  it('takes what is new in turn with what waited longest', async () => {
    const { repository } = await filled({ app: 8 })
    const now = clock(1000)
    await verifyRepository(repository, {}, now)
    const before = (await readLedger(repository.database('app'))).segments
    const source = new PageSource('/data/other.db', 'other').fill(20, 1)
    for (let i = 0; i < 4; i++)
      await createBackup(source.change(1, i), repository, { type: i === 0 ? 'full' : 'incremental' })
    await verifyRepository(repository, { subset: 1 / 3 }, now)
    const { segments } = await readLedger(repository.database('app'))
    const renewed = Object.keys(segments).filter((key) => segments[key]?.checkedAt !== before[key]?.checkedAt)
    assert.deepEqual(renewed.length, 2)
    assert.equal(Object.keys((await readLedger(repository.database('other'))).segments).length, 2)
    assert.equal(Object.keys((await readLedger(repository.database('other'))).waiting).length, 2)
  })

  it('that is killed anywhere has remembered nearly all that it had checked, and the next goes on from there', async () => {
    for (let failAt = 60; failAt < 75; failAt += 5) {
      const { storage, repository } = await filled({ app: 12 })
      // Half a minute passes at every look at the clock: results are written down as soon as they are there.
      const now = clock(30_000)
      const crashing = new FaultStorage(storage, { failAt, crash: true })
      const run = verifyRepository(await Repository.open(crashing), {}, now)
      await assert.rejects(run, (error) => hasCode(error, 'STORAGE_TRANSIENT'))
      const known = (await checkedKeys(repository)).length
      assert.ok(known > 0 && known < 12, `${known} at ${failAt}`)
      const next = await verifyRepository(repository, { subset: (12 - known) / 12 }, now)
      assert.equal(next.checked.segments, 12 - known)
      assert.equal((await checkedKeys(repository)).length, 12, 'nothing was checked twice before everything was once')
    }
  })

  it('at once with others neither fails nor makes them forget', async () => {
    const { repository } = await filled({ app: 10, shop: 5 })
    const runs = await Promise.all([1, 2, 3].map(() => verifyRepository(repository, { subset: 0.5 })))
    for (const { ok, checked } of runs) assert.deepEqual([ok, checked.segments], [true, 8])
    assert.ok((await checkedKeys(repository)).length >= 8)
    for (let run = 0; run < 2; run++) await verifyRepository(repository, { subset: 0.5 })
    assert.equal((await checkedKeys(repository)).length, 15)
  })

  it('remembers nothing of what is gone', async () => {
    const { repository } = await filled({ app: 4 })
    const database = repository.database('app')
    await verifyRepository(repository, {})
    const { backups } = await database.catalog()
    for (const { id } of backups.toReversed().slice(0, 3)) await deleteBackup(database, id, { force: true })
    await verifyRepository(repository, { maxDurationMs: 0 })
    const { segments } = await database.catalog()
    assert.deepEqual(
      await checkedKeys(repository),
      segments.map(({ key }) => key),
    )
  })

  it('leaves half of its time to trial restores', async () => {
    using folder = temporaryFolder()
    const repository = await Repository.init(new MemoryStorage())
    await backupChains(new SampleDatabase(folder.path), repository)
    // The clock is looked at once or twice for each object; there is time for about five of each kind of work.
    const options = { level: 'restore', maxDurationMs: 30_000, scratchFolder: folder.path } as const
    const { checked, remaining } = await verifyRepository(repository, options, clock(1000))
    assert.ok(checked.segments > 0 && checked.restores > 0, JSON.stringify(checked))
    assert.equal(checked.segments + checked.restores + remaining, 10)
  })

  it('has the time that it was given, whatever becomes of the clock on the wall meanwhile', async () => {
    const { repository } = await filled({ app: 8 })
    for (const jump of [-86_400_000, 86_400_000]) {
      let looks = 0
      const start = Date.UTC(2026, 10, 22)
      const clocks = { now: () => start + (looks++ < 3 ? 0 : jump), monotonic: ticking(0, 1000) }
      const { checked, durationMs } = await verifyRepository(repository, { maxDurationMs: 8000 }, clocks)
      assert.ok(checked.segments > 1 && checked.segments < 8, `${checked.segments}`)
      assert.ok(durationMs >= 8000 && durationMs < 20_000, `${durationMs}`)
    }
  })

  it('goes on as ever after one whose clock was ahead: it comes round, and remembers the damage that it finds', async () => {
    const { storage, repository } = await filled({ app: 6 })
    const at = (year: number) => ({ now: ticking(Date.UTC(year, 0, 1), 1000), monotonic: ticking(0, 1) })
    await verifyRepository(repository, {}, at(2099))
    const today = at(2027)
    for (let run = 0; run < 3; run++) await verifyRepository(repository, { subset: 1 / 3 }, today)
    const database = repository.database('app')
    const { segments } = await readLedger(database)
    assert.deepEqual(new Set(Object.values(segments).map(({ checkedAt }) => checkedAt.slice(0, 4))), new Set(['2027']))

    await verifyRepository(repository, {}, at(2099))
    const key = (await database.catalog()).segments.find(({ kind }) => kind === 'base')?.key ?? assert.fail()
    const bytes = Buffer.from(await collectBytes(storage.get(key)))
    bytes[200] = (bytes[200] ?? 0) ^ 1
    await storage.put(key, bytes)
    assert.equal((await verifyRepository(repository, {}, today)).ok, false)
    assert.equal((await readLedger(database)).segments[key]?.ok, false)
    const damaged = (error: unknown) => hasCode(error, 'INTEGRITY')
    await assert.rejects(expireDatabase(database, { last: 1, window: 0 }, { graceMs: 0 }), damaged)
  })

  it('finds no damage any more where one whose clock was ahead did, and the object was brought back', async () => {
    const { storage, repository } = await filled({ app: 2 })
    const at = (year: number) => ({ now: ticking(Date.UTC(year, 0, 1), 1000), monotonic: ticking(0, 1) })
    const database = repository.database('app')
    const key = (await database.catalog()).segments.find(({ kind }) => kind === 'base')?.key ?? assert.fail()
    const whole = await collectBytes(storage.get(key))
    const bytes = Uint8Array.from(whole)
    bytes[200] = (bytes[200] ?? 0) ^ 1
    await storage.put(key, bytes)
    assert.equal((await verifyRepository(repository, {}, at(2099))).ok, false)
    await storage.put(key, whole)
    const today = at(2027)
    assert.equal((await verifyRepository(repository, {}, today)).ok, true)
    assert.equal((await verifyRepository(repository, { maxDurationMs: 0 }, today)).ok, true)
    await expireDatabase(database, { last: 1, window: 0 })
  })

  it('passes over databases that have no backup yet', async () => {
    const { repository } = await filled({ app: 2 })
    const some = await verifyRolling(repository, { level: 'data', databases: ['app', 'not-yet'] })
    assert.deepEqual([some.ok, some.checked.segments], [true, 2])
    const none = await verifyRolling(repository, { level: 'data', databases: ['not-yet'] })
    assert.deepEqual([none.ok, none.checked.segments, none.checked.manifests], [true, 0, 0])
    const all = await verifyRolling(repository, { level: 'data' })
    assert.equal(all.checked.segments, 2)
  })
})

describe('trial restores', () => {
  it('have their warnings repeated, each once', async () => {
    using folder = temporaryFolder()
    const repository = await Repository.init(new MemoryStorage())
    const app = new SampleDatabase(folder.path)
    const image = app.image()
    image.fill(0xa5, 5 * 1024, 6 * 1024)
    writeFileSync(app.path, image)
    const { metadata } = await app.backup(repository, { type: 'full', allowDamaged: true })
    const { ok, warnings } = await verifyRepository(repository, { level: 'restore', scratchFolder: folder.path })
    assert.equal(ok, true)
    assert.ok(warnings.length > 0)
    assert.match(
      warnings[0] ?? '',
      new RegExp(
        `^app, trial restore of ${metadata.id}: Backup ${metadata.id} is of a database that failed its checks: `,
      ),
    )
    assert.equal(new Set(warnings).size, warnings.length)
  })
})
