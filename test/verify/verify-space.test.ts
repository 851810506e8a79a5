/** A scratch folder without room for some of the backups: that says nothing about them, and the others are tried. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { verify } from '../../src/agent/jobs/verify.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { VerifyOptions } from '../../src/verify/verify-options.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { flipped, readObjects } from '../scenarios/support/stored-objects.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const size = ({ metadata }: KnownBackup): number => metadata.databaseBytes

/** A large database among small ones, each with one backup, and a disk on which the large one has no room. */
async function scene() {
  using stack = new DisposableStack()
  const folder = stack.use(temporaryFolder())
  const disk = stack.use(new SmallDisk(8))
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  const backUp = (name: string, rows: number) =>
    new SampleDatabase(folder.path, name, { rows }).backup(repository, { type: 'full' })
  const large = await backUp('large', 8000)
  const small = [await backUp('a', 200), await backUp('shop', 200), await backUp('z', 200)]
  disk.fill(size(large) - 100_000)
  assert.ok(small.every((backup) => size(backup) < size(large) / 2))
  const owned = stack.move()
  return {
    repository,
    storage,
    disk,
    large: large.metadata.id,
    small,
    try: (options: VerifyOptions = {}) =>
      verifyRepository(repository, { level: 'restore', scratchFolder: disk.path, ...options }),
    ledgerOf: (name: string) => readLedger(repository.database(name)),
    [Symbol.dispose]: () => owned.dispose(),
  }
}

describe('a verification by trial restores, on a disk that is too small for one', { skip: whyNoSmallDisk() }, () => {
  it('says which backup was not tried, tries the others, and tells of all damage', async () => {
    using at = await scene()
    const { storage, disk, large, small } = at
    const [damaged] = small
    const key = damaged?.metadata.segment ?? assert.fail()
    const sound = (await readObjects(storage)).get(key) ?? assert.fail()
    await storage.put(key, flipped(sound, Math.floor(sound.length * 0.3)))
    const { ok, findings, checked, untried, remaining, restorable, warnings } = await at.try()
    assert.equal(ok, false)
    assert.deepEqual(
      findings.map(({ object }) => object),
      [key],
    )
    assert.equal(checked.restores, 2)
    assert.deepEqual([untried, remaining], [1, 1])
    assert.ok(restorable.includes(large))
    assert.deepEqual(warnings, [
      `large, trial restore of ${large}: not tried, because there is no room for it in ${disk.path}.`,
    ])
    assert.deepEqual(readdirSync(disk.path), ['ballast'])
  })

  it('leaves it unseen until there is room, and comes to all others first', async () => {
    using at = await scene()
    const { disk, large } = at
    const seen = async () => {
      const ledgers = await Promise.all(['a', 'large', 'shop', 'z'].map((name) => at.ledgerOf(name)))
      return ledgers.map(({ restores }) => Object.keys(restores).length)
    }
    // One at a time: as many runs as there are backups come to all, whichever has its turn first.
    for (let run = 1; run <= 4; run += 1) await at.try({ subset: 0.25 })
    assert.deepEqual(await seen(), [1, 0, 1, 1])
    const { restores, waiting, untried } = await at.ledgerOf('large')
    assert.deepEqual([Object.keys(restores), Object.keys(untried)], [[], [large]])
    assert.ok(large in waiting)
    // And all of them once more before it is tried in vain again, as far as it has its turn.
    for (let round = 1; round <= 2; round += 1) {
      const checks = { done: 0, untried: 0 }
      for (let run = 1; run <= 4; run += 1) {
        const { checked, untried: now } = await at.try({ subset: 0.25 })
        checks.done += checked.restores
        checks.untried += now
      }
      assert.deepEqual(checks, { done: 3, untried: 1 })
    }
    disk.free()
    const { checked, untried: left, warnings } = await at.try()
    assert.deepEqual([checked.restores, left, warnings], [4, 0, []])
    assert.deepEqual((await at.ledgerOf('large')).untried, {})
    assert.deepEqual(await seen(), [1, 1, 1, 1])
  })

  it('of an agent is inconclusive where there was room for none, and has warnings where there was for some', async () => {
    using at = await scene()
    const { disk, storage } = at
    const config = {
      verify: { level: 'restore', subset: 1, maxDurationMs: undefined, scratchFolder: disk.path },
    } as const
    const run = (name: string) =>
      verify(storage, { name, config, isThere: async () => true }, new AbortController().signal)
    const { outcome, code, message, warnings = [] } = await run('large')
    assert.deepEqual([outcome, code], ['inconclusive', 'DISK_FULL'])
    assert.match(message ?? '', /no room/)
    assert.ok(warnings[0]?.includes(disk.path))
    const { outcome: other, figures } = await run('shop')
    assert.deepEqual([other, figures?.['restores']], [undefined, 1])
  })
})
