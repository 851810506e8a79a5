import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { FollowFacts } from '../../../src/agent/follow/follow-facts.ts'
import { FollowedDatabase } from '../../../src/agent/follow/followed-database.ts'
import { placeInQueue } from '../../../src/agent/follow/place-in-queue.ts'
import { backUp } from '../../../src/agent/jobs/back-up.ts'
import type { Waiting } from '../../../src/agent/jobs/in-turn.ts'
import { BackupQueue } from '../../../src/backup/backup-queue.ts'
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import type { FollowRequest } from '../../../src/capture/engine-api.ts'
import { linkStorage } from '../../../src/engine/storage-link.ts'
import { type ErrorCode, HoldfastError } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ManualClock, turns } from '../notify/support/manual-clock.ts'
import { databaseConfig } from '../support/database-config.ts'
import { FakePool } from '../support/fake-worker.ts'

function scene(request: FollowRequest = {}) {
  const pool = new FakePool()
  const clock = new ManualClock()
  const queue = new BackupQueue(1)
  const states: FollowFacts[] = []
  const stopFailures: string[] = []
  const followed = new FollowedDatabase({
    name: 'app',
    path: '/srv/app.db',
    storage: { kind: 'location', location: 'file:///srv/backups' },
    request,
    pool,
    clock,
    mayStart: (signal) => placeInQueue(queue, 'app', signal),
    onEvent: () => {},
    onState: (facts) => void states.push(facts),
    onStopFailed: ({ message }) => void stopFailures.push(message),
  })
  const { worker } = pool
  return {
    pool,
    clock,
    queue,
    states,
    stopFailures,
    followed,
    worker,
    stateNames: () => states.map(({ state }) => state),
    following: () => worker.followings.at(-1) ?? assert.fail('It is not being followed.'),
    begin: async () => {
      followed.start()
      await turns()
      worker.followings.at(-1)?.emit(started(1))
    },
    fail: async (code: ErrorCode) => {
      worker.followings.at(-1)?.fail(new HoldfastError(code, 'No.'))
      await turns()
    },
  }
}

function started(at: number): CaptureEvent {
  return { kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(at), time: 1 }
}

function commit(at: number): CaptureEvent {
  return { kind: 'commits', count: 1, bytes: 4096, lsn: toLsn(at), time: 1 }
}

const nothing = { segments: 0, bytes: 0 }
const caughtUp = { time: 1, lsn: toLsn(1), durableLsn: toLsn(1), waiting: nothing, logBytes: 0, trouble: null }

/** Nobody else waits for a turn. */
function alone(clock: ManualClock) {
  const { signal } = new AbortController()
  const waiting: Waiting = { aside: (wait) => wait(signal), sleep: clock.sleep.bind(clock), onWait: () => {} }
  return { waiting, isWorker: () => false }
}

describe('a followed database', () => {
  it('is tried again ever more seldom while it fails, and soon again after it went well', async () => {
    const { clock, followed, fail, following, stateNames } = scene()
    followed.start()
    const waits: (number | undefined)[] = []
    for (let failure = 0; failure < 11; failure += 1) {
      await turns()
      await fail('STORAGE_TRANSIENT')
      waits.push(clock.waits[0])
      await clock.pass(clock.waits[0] ?? 0)
    }
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000),
    )
    following().emit(started(1))
    await clock.pass(60_001)
    await fail('ENGINE_DIED')
    assert.equal(clock.waits[0], 1000)
    assert.deepEqual(stateNames().slice(-3), ['starting', 'following', 'waiting'])
    await followed.stop(0)
  })

  it('says since when it has failed, through all that is tried meanwhile, and since when it is followed again', async () => {
    const { clock, followed, fail, following } = scene()
    const begun = clock.now()
    followed.start()
    const told = () => {
      const { state, since, error } = followed.facts
      return [state, since - begun, error?.code]
    }
    await clock.pass(500)
    await fail('LEASE_HELD')
    assert.deepEqual(told(), ['waiting', 500, 'LEASE_HELD'])
    await clock.pass(10_000)
    assert.deepEqual(told(), ['starting', 500, 'LEASE_HELD'])
    await fail('STORAGE_TRANSIENT')
    assert.deepEqual(told(), ['waiting', 500, 'STORAGE_TRANSIENT'])
    await clock.pass(10_000)
    following().emit(started(1))
    assert.deepEqual(told(), ['following', 20_500, undefined])
    await clock.pass(60_001)
    await fail('ENGINE_DIED')
    const since = clock.now() - begun
    assert.deepEqual(told(), ['waiting', since, 'ENGINE_DIED'])
    await clock.pass(10_000)
    following().emit(started(1))
    await clock.pass(1_000)
    await fail('ENGINE_DIED')
    assert.deepEqual(told(), ['waiting', since, 'ENGINE_DIED'], 'it was followed for a moment only')
    await clock.pass(10_000)
    following().emit(started(1))
    await clock.pass(60_001)
    await fail('ENGINE_DIED')
    assert.deepEqual(told(), ['waiting', clock.now() - begun, 'ENGINE_DIED'], 'this is a new failure')
    await followed.stop(0)
  })

  it('asks for the lease of another every ten seconds, however long that one has it', async () => {
    const { clock, followed, fail } = scene()
    followed.start()
    for (let failure = 0; failure < 20; failure += 1) {
      await turns()
      await fail('LEASE_HELD')
      assert.deepEqual(clock.waits, [10_000])
      await clock.pass(10_000)
    }
    await followed.stop(0)
  })

  it('is tried again when no worker can be had, and keeps no place from others', async () => {
    const { pool, clock, followed, worker, queue } = scene()
    pool.refuses = true
    followed.start()
    await turns()
    assert.equal(followed.facts.state, 'waiting')
    assert.equal(followed.facts.error?.code, 'ENGINE_DIED')
    await queue.run('other', async () => {})
    pool.refuses = false
    await clock.pass(1000)
    assert.equal(worker.followings.length, 1)
    await followed.stop(0)
    assert.equal(pool.held, 0)
  })

  it('stops before it was started, and does not begin afterwards', async () => {
    const { followed, worker } = scene()
    assert.deepEqual(await followed.stop(1000), nothing)
    followed.start()
    await turns()
    assert.equal(worker.followings.length, 0)
    assert.equal(followed.facts.state, 'stopped')
  })

  it('stops while it waits for its turn', async () => {
    const { followed, worker, queue } = scene()
    const first = Promise.withResolvers<void>()
    const other = queue.run('other', () => first.promise)
    followed.start()
    await turns()
    await followed.stop(1000)
    first.resolve()
    await other
    await turns()
    assert.equal(worker.followings.length, 0)
  })

  it('stops in the very moment in which its turn has come', async () => {
    for (let delay = 0; delay < 12; delay += 1) {
      const { followed, worker, queue, pool } = scene()
      const first = Promise.withResolvers<void>()
      const other = queue.run('other', () => first.promise)
      followed.start()
      await turns()
      first.resolve()
      for (let turn = 0; turn < delay; turn += 1) await Promise.resolve()
      await followed.stop(1000)
      await other
      await turns()
      assert.equal(pool.held, 0, `after ${delay} turns`)
      assert.ok(worker.followings.every(({ isAborted }) => isAborted()))
      await queue.idle()
    }
  })

  it('gives up a start that is under way', async () => {
    const { followed, following, pool } = scene()
    followed.start()
    await turns()
    assert.deepEqual(await followed.stop(1000), nothing)
    assert.ok(following().isAborted())
    assert.equal(pool.held, 0)
  })

  it('stops in order while it is followed, and says what is left', async () => {
    const { followed, begin, worker, following, stateNames } = scene()
    await begin()
    const left = { segments: 2, bytes: 800 }
    worker.answers.stop = () => {
      following().end(left)
      return left
    }
    assert.deepEqual(await followed.stop(7000), left)
    assert.deepEqual(worker.calls.at(-1), { name: 'stop', input: { database: 'app', waitMs: 7000 } })
    assert.deepEqual(stateNames(), ['starting', 'following', 'stopped'])
  })

  it('stops while it waits for the next try', async () => {
    const { followed, fail, clock, worker } = scene()
    followed.start()
    await turns()
    await fail('STORAGE_TRANSIENT')
    await followed.stop(1000)
    await clock.pass(10_000)
    assert.equal(worker.followings.length, 1)
    assert.equal(followed.facts.state, 'stopped')
  })

  it('waits for a worker that hangs no longer than it is told to, or some seconds', async () => {
    const cases: readonly (readonly [hangMs: number | undefined, mostMs: number])[] = [
      [undefined, 15_000],
      [1_500, 6_500],
    ]
    for (const [hangMs, mostMs] of cases) {
      const { followed, begin, clock } = scene()
      await begin()
      let isOver = false
      void followed.stop(5_000, hangMs).then(() => {
        isOver = true
      })
      await clock.pass(mostMs - 1)
      assert.equal(isOver, false)
      await clock.pass(1)
      assert.equal(isOver, true)
    }
  })

  it('tells, once, why it was not let go in order', async () => {
    const failing = scene()
    await failing.begin()
    const full = new HoldfastError('DISK_FULL', 'No room for the spool.')
    failing.worker.answers.stop = () => {
      failing.following().fail(full)
      return Promise.reject(full)
    }
    await failing.followed.stop(0)
    assert.deepEqual(failing.stopFailures, ['No room for the spool.'])
    assert.equal(failing.followed.facts.error, full)

    const dying = scene()
    await dying.begin()
    const stopped = dying.followed.stop(1_000)
    await dying.fail('ENGINE_DIED')
    await dying.clock.pass(11_000)
    await stopped
    assert.deepEqual(dying.stopFailures, ['No.'])

    const orderly = scene()
    await orderly.begin()
    orderly.worker.answers.stop = () => {
      orderly.following().end(nothing)
      return nothing
    }
    await orderly.followed.stop(0)
    const starting = scene()
    starting.followed.start()
    await turns()
    await starting.followed.stop(0)
    assert.deepEqual([orderly.stopFailures, starting.stopFailures], [[], []])
  })

  it('tells that what is left could not be counted', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('spool'), 'This is no folder.')
    const { followed, fail, stopFailures } = scene({ stateFolder: folder.path })
    followed.start()
    await turns()
    await fail('STORAGE_TRANSIENT')
    await followed.stop(0)
    assert.equal(stopFailures.length, 1)
    assert.match(stopFailures[0] ?? '', /spool/)
  })

  it('has no lag any more when the repository has everything, though its worker died before it could say so', async () => {
    const { followed, begin, following, fail, clock } = scene()
    await begin()
    following().emit(commit(2))
    await clock.pass(100)
    await fail('ENGINE_DIED')
    await clock.pass(60_000)
    following().emit(started(2))
    await clock.pass(3_600_000)
    assert.ok(followed.facts.lagMs > 3_600_000)
    followed.noteStatus({ ...caughtUp, lsn: toLsn(2), durableLsn: toLsn(2) })
    assert.equal(followed.facts.lagMs, 0)
  })

  it('knows what keeps it from being followed just now, until its worker says that it is over', async () => {
    const { followed, begin, following, clock } = scene()
    await begin()
    const retrying = { kind: 'retrying', message: 'There is no file.', delayMs: 250, failures: 1 } as const
    following().emit({ ...retrying, what: 'upload' })
    assert.equal(followed.facts.trouble, undefined)
    following().emit({ ...retrying, what: 'database' })
    assert.equal(followed.facts.trouble, 'There is no file.')
    const { since } = followed.facts
    await clock.pass(30_000)
    followed.noteStatus({ ...caughtUp, trouble: 'There is still no file.' })
    assert.deepEqual([followed.facts.trouble, followed.facts.since], ['There is still no file.', since])
    followed.noteStatus(caughtUp)
    assert.equal(followed.facts.trouble, undefined)
    await clock.pass(30_000)
    followed.noteStatus({ ...caughtUp, trouble: 'There is no file again.' })
    assert.equal(followed.facts.since, clock.now())
  })

  it('counts the lag of commits that waited since before it was started', async () => {
    const { followed, begin, clock } = scene()
    await begin()
    followed.noteStatus({ ...caughtUp, lsn: toLsn(5), durableLsn: toLsn(1), waiting: { segments: 1, bytes: 9 } })
    await clock.pass(30_000)
    assert.equal(followed.facts.lagMs, 30_000)
    assert.equal(followed.facts.durableLsn, 1)
    await clock.pass(0)
  })

  it('is waited for while it is tried again, but not for ever', async () => {
    const { followed, begin, fail, following, clock } = scene()
    await begin()
    const { signal } = new AbortController()
    await fail('ENGINE_DIED')
    const soon = followed.isFollowedWithin(10_000, signal)
    await clock.pass(1_000)
    following().emit(started(1))
    assert.equal(await soon, true)
    await fail('LEASE_HELD')
    const never = followed.isFollowedWithin(5_000, signal)
    await clock.pass(5_000)
    assert.equal(await never, false)
  })

  it('is not backed up alone while commits of it wait for their upload: their numbers would be taken', async () => {
    using folder = temporaryFolder()
    const { followed, clock } = scene({ stateFolder: folder.path })
    assert.equal(await followed.hasEmptySpool(), true)
    mkdirSync(folder.file('spool'))
    assert.equal(await followed.hasEmptySpool(), true)
    writeFileSync(folder.file('spool/1.hfs'), 'x')
    assert.equal(await followed.hasEmptySpool(), false)
    const repository = await Repository.init(new MemoryStorage())
    await using link = await linkStorage(new MemoryStorage())
    const config = databaseConfig({ source: { kind: 'path', path: '/srv/app.db', name: 'app' } })
    const { signal } = new AbortController()
    const options = { type: 'full', tags: {}, followed: () => followed, ...alone(clock), signal } as const
    const made = backUp(repository, link, { name: 'app', path: '/srv/app.db', config }, options)
    made.catch(() => {})
    await turns()
    await clock.pass(120_000)
    await assert.rejects(made, { code: 'NOT_RUNNING', message: /commits of it wait here/ })
  })

  it('is backed up by its follower, also when that is just starting: alone, it would wait for its own lease', async () => {
    const { followed, worker, following, clock } = scene()
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    await using link = await linkStorage(storage)
    const config = databaseConfig({ source: { kind: 'path', path: '/srv/app.db', name: 'app' } })
    followed.start()
    await turns()
    const { signal } = new AbortController()
    const made = backUp(
      repository,
      link,
      { name: 'app', path: '/srv/app.db', config },
      { type: 'incremental', tags: {}, followed: () => followed, ...alone(clock), signal },
    )
    await turns()
    worker.answers.backUp = () => Promise.reject(new HoldfastError('DATABASE_BUSY', 'Asked.'))
    following().emit(started(1))
    await assert.rejects(made, { code: 'DATABASE_BUSY' })
    assert.equal(worker.calls.at(-1)?.name, 'backUp')
    worker.answers.stop = () => {
      following().end(nothing)
      return nothing
    }
    await followed.stop(0)
  })
})
