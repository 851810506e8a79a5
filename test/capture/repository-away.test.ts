import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RunningCapture } from '../../src/capture/capture.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { leaseState } from '../../src/repository/lease.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { Rig } from './support/rig.ts'

describe('while the repository cannot be reached', () => {
  it('commits go to the spool, the log is handed back all the same, and everything arrives later', async () => {
    const rig = await Rig.make()
    const random = seededRandom(21)
    await using capture = await rig.follow({ handOff: { logBytes: 3_000 } })
    rig.isAway = true
    for (let n = 0; n < 20; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(100)
    }
    await rig.until(() => capture.status.waiting.segments > 1)
    await rig.until(() => rig.of('handed-off').some(({ complete }) => complete))
    await rig.until(() => rig.of('retrying').length > 0)
    rig.isAway = false
    await capture.sync()
    assert.equal((await rig.check()).size, 21)
    assert.deepEqual(rig.of('gap'), [])
  })

  it('says by when all is there, exactly, also while something waits', async () => {
    const rig = await Rig.make()
    const random = seededRandom(27)
    await using capture = await rig.follow()
    assert.ok(capture instanceof RunningCapture)
    const covered = () => capture.coveredAt ?? 0
    await rig.until(() => covered() >= rig.clock.now() - 1000)
    rig.isAway = true
    const committed = rig.clock.now()
    rig.database.commitRandom(random)
    await rig.until(() => capture.status.waiting.segments > 0)
    await rig.clock.sleep(120_000)
    assert.ok(covered() >= committed - 1000 && covered() <= committed + 1000, String(covered() - committed))
    rig.isAway = false
    await capture.sync()
    assert.ok(covered() > committed + 100_000)
    await capture.stop()
    const lease = await leaseState(await rig.repository())
    assert.ok(Date.parse(lease?.document.coveredAt ?? '') > committed + 100_000)
  })

  it('does not say so of what was not looked at', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    assert.ok(capture instanceof RunningCapture)
    rig.database.isUnknown = true
    const since = rig.clock.now()
    rig.database.commitRandom(seededRandom(28))
    await rig.clock.sleep(120_000)
    assert.ok((capture.coveredAt ?? 0) <= since)
    rig.database.isUnknown = false
    await capture.sync()
    assert.ok((capture.coveredAt ?? 0) > since)
  })

  it('or is so slow that commits come faster than their segments go, the log is handed back, and nothing is lost', async () => {
    const rig = await Rig.make()
    const random = seededRandom(24)
    await using capture = await rig.follow({ handOff: { logBytes: 3_000 } })
    rig.latencyMs = 900
    for (let n = 0; n < 30; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(100)
    }
    await rig.until(() => capture.status.waiting.segments > 1)
    await rig.until(() => rig.of('handed-off').some(({ complete }) => complete))
    await capture.sync()
    assert.equal(rig.of('retrying').length, 0, 'slow is not away')
    assert.equal((await rig.check()).size, 31)
    assert.deepEqual(rig.of('gap'), [])
  })

  it('a full spool is merged, and continuity kept at its end', async () => {
    const rig = await Rig.make()
    const random = seededRandom(22)
    await using capture = await rig.follow({ spoolLimitBytes: 20_000 })
    rig.isAway = true
    for (let n = 0; n < 400 && rig.of('spool-full').length === 0; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(300)
    }
    await rig.until(() => rig.of('spool-full').length > 0)
    const [full] = rig.of('spool-full')
    assert.equal(full?.action, 'merged')
    rig.isAway = false
    rig.database.commitRandom(random)
    await capture.sync()
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
    const [gap] = rig.of('gap')
    assert.equal(
      gap?.reason,
      'the spool was full, since its disk was, or the repository could not be reached or was too slow',
    )
  })

  it('one transaction larger than the spool is kept, and what comes after it, while the repository is there', async () => {
    const rig = await Rig.make()
    const random = seededRandom(26)
    await using capture = await rig.follow({ spoolLimitBytes: 1_000 })
    rig.latencyMs = 200
    for (let n = 0; n < 20; n += 1) {
      rig.database.commitRandom(random)
      if (n % 5 === 0) await capture.sync()
    }
    await capture.sync()
    assert.deepEqual([rig.of('spool-full'), rig.of('gap')], [[], []])
    assert.equal((await rig.check()).size, 21)
  })

  it('past the limit commits are let go by, loudly; the log is still handed back; a delta heals it when the repository is back', async () => {
    const rig = await Rig.make()
    const random = seededRandom(23)
    await using capture = await rig.follow({ spoolLimitBytes: 2_000, handOff: { logBytes: 3_000 } })
    rig.isAway = true
    for (let n = 0; n < 60; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(300)
    }
    await rig.until(() => rig.of('spool-full').at(-1)?.action === 'gave-up')
    const handedOff = rig.of('handed-off').length
    for (let n = 0; n < 10; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(300)
    }
    await rig.until(() => rig.of('handed-off').length > handedOff)
    rig.isAway = false
    await capture.sync()
    rig.database.commitRandom(random)
    await capture.sync()
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
    assert.ok(rig.of('gap').length > 0)
  })

  it('a full disk is no loss of what was spooled, and heals when there is room again', async () => {
    const rig = await Rig.make()
    const random = seededRandom(24)
    await using capture = await rig.follow()
    rig.database.commitRandom(random)
    await capture.sync()
    rig.files.capacity = 0
    for (let n = 0; n < 5; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(300)
    }
    await rig.until(() => rig.of('spool-full').at(-1)?.action === 'gave-up')
    rig.files.capacity = Number.POSITIVE_INFINITY
    await capture.sync()
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
    assert.equal(rig.of('gap').length, 1)
  })

  it('stop waits for a bounded time and says what is left; sync fails then', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    rig.isAway = true
    rig.database.commitRandom(seededRandom(25))
    const syncing = capture.sync()
    syncing.catch(() => {})
    const left = await capture.stop({ waitMs: 500 })
    assert.equal(left.segments, 1)
    await assert.rejects(syncing, (error) => hasCode(error, 'ABORTED'))
    assert.deepEqual(rig.of('stopped').at(-1)?.left, left)
  })

  it('in a way that no try again could mend, stop says what is left all the same, and that the lease was not given back', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    rig.storage.put = async () => {
      throw new HoldfastError('USAGE', 'A file lies in its place.')
    }
    rig.database.commitRandom(seededRandom(27))
    assert.equal((await capture.stop({ waitMs: 500 })).segments, 1)
    const [warning] = rig.of('warning')
    assert.equal(warning?.message, 'The lease could not be given back: A file lies in its place.')
  })
})

describe('a repository whose operations fail at random', () => {
  it('gets every commit, once', async () => {
    const seed = testSeed()
    console.log(`seed ${seed}`)
    const random = seededRandom(seed)
    const rig = await Rig.make()
    const first = await rig.follow()
    await first.stop()
    const moments = ['before', 'after', 'midway'] as const
    for (let n = 0; n < 60; n += 1) {
      const storage = new FaultStorage(rig.storage, { failAt: 6 + random.below(30), moment: random.pick(moments) })
      try {
        const repository = await Repository.open(storage)
        const capture = await followDatabase(rig.database, repository, {
          stateFolder: '/state',
          clock: rig.clock,
          files: rig.files.as(),
          syncIntervalMs: 50,
        })
        for (let turn = 0; turn < 3; turn += 1) {
          rig.database.commitRandom(random)
          await capture.sync()
        }
        await capture.stop()
      } catch (error) {
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error))
      }
      await rig.freeLease()
    }
    const last = await rig.follow()
    await last.sync()
    await last.stop()
    const commits = await rig.check()
    assert.equal(commits.size, rig.database.seq)
    assert.deepEqual(rig.of('gap'), [])
  })
})

describe('a clock that goes back', () => {
  it('does not make the history go back: commits are dated like the newest one, and it is said', async () => {
    const rig = await Rig.make()
    const random = seededRandom(26)
    await using capture = await rig.follow()
    rig.database.commitRandom(random)
    await capture.sync()
    const { time } = capture.status
    rig.clock.time -= 3_600_000
    for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
    await capture.sync()
    assert.equal(capture.status.time, time)
    assert.equal(rig.of('warning').filter(({ message }) => message.startsWith('The clock went back')).length, 1)
    await rig.check()
  })
})
