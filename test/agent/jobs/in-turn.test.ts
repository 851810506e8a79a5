import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inTurn, type PlaceInLine, type Turn } from '../../../src/agent/jobs/in-turn.ts'
import { HoldfastError, hasCode } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { leaseKey } from '../../../src/repository/layout.ts'
import type { LeaseDocument } from '../../../src/repository/lease-document.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { aborted } from '../../../src/util/abort.ts'
import { currentProcess } from '../../../src/util/process-identity.ts'
import { plantLease } from '../../support/plant-lease.ts'
import { ManualClock, turns } from '../notify/support/manual-clock.ts'
import { followApp } from '../support/followed-app.ts'

const minute = 60_000
const here = currentProcess()
const elsewhere = { ...here, host: 'far-away', bootId: 'another' }

async function scene(place: Partial<PlaceInLine> = {}) {
  const database = (await Repository.init(new MemoryStorage())).database('app')
  const clock = new ManualClock()
  const stopping = new AbortController()
  const calledOff = new AbortController()
  const told: (string | undefined)[] = []
  let asides = 0
  return {
    clock,
    told,
    stopping,
    calledOff,
    asides: () => asides,
    damage: async () => await database.storage.put(leaseKey('app'), Buffer.from('{}')),
    hold: (changes: Partial<LeaseDocument>) => plantLease(database, { owner: elsewhere, ...changes }),
    run: (work: (turn: Turn) => Promise<string>) => {
      const run = inTurn(
        { database, followed: () => undefined, isWorker: () => false, ...place },
        work,
        {
          aside: (wait) => {
            asides += 1
            return wait(stopping.signal)
          },
          sleep: clock.sleep.bind(clock),
          onWait: (reason) => void told.push(reason),
        },
        calledOff.signal,
      )
      run.catch(() => {})
      return run
    },
  }
}

const by = async (turn: Turn): Promise<string> => (turn.by === 'another' ? `another at ${turn.socket}` : turn.by)
const heldText = /^Another process works on app: follow by process \d+ on far-away, since /

describe('what only one may do to a database at a time', () => {
  it('is done at once where nobody else has the lease, or it is damaged', async () => {
    const { run, asides, told, damage } = await scene()
    assert.equal(await run(by), 'nobody')
    await damage()
    assert.equal(await run(by), 'nobody')
    assert.deepEqual([asides(), told], [0, []])
  })

  it('is asked of a process of this machine that can be', async () => {
    const { run, hold, asides } = await scene()
    await hold({ owner: here, control: '/run/follower.sock' })
    assert.equal(await run(by), 'another at /run/follower.sock')
    assert.equal(asides(), 0)
  })

  it('waits aside for one that cannot be asked, says for whom, and goes on when that one lets go', async () => {
    const { run, hold, asides, told, clock } = await scene()
    await hold({ control: '/run/follower.sock' })
    const done = run(by)
    await clock.pass(5 * minute)
    assert.equal(asides(), 1)
    assert.equal(told.length, 1)
    assert.match(told[0] ?? '', heldText)
    await hold({ owner: here, purpose: 'backup' })
    await clock.pass(minute)
    assert.equal(told.length, 2, 'another has it now')
    await hold({ released: true })
    await clock.pass(minute)
    assert.equal(await done, 'nobody')
    assert.equal(told.at(-1), undefined)
  })

  it('fails after ten minutes, with who did not let go', async () => {
    const { run, hold, clock, told } = await scene()
    await hold({})
    const done = run(by)
    await clock.pass(10 * minute - 1)
    assert.equal(told.length, 1)
    await clock.pass(5_000)
    await assert.rejects(done, (error) => {
      assert.ok(error instanceof HoldfastError)
      assert.match(error.message, heldText)
      assert.match(error.message, /It did not let go for 10 min\.$/)
      return error.code === 'LEASE_HELD'
    })
    assert.equal(told.at(-1), undefined)
  })

  it('is tried again, ever more seldom, while who was asked is not there to be, and fails after some minutes', async () => {
    const { run, hold, clock, asides } = await scene()
    await hold({ owner: here, control: '/run/follower.sock' })
    let asked = 0
    const done = run(async () => {
      asked += 1
      throw new HoldfastError('NOT_RUNNING', 'Nobody listens.')
    })
    await clock.pass(5 * minute)
    await assert.rejects(done, (error) => {
      assert.ok(error instanceof HoldfastError)
      assert.match(
        error.message,
        /^Another process works on app: follow by process \d+ .* It was asked in vain: Nobody listens\.$/,
      )
      return error.code === 'NOT_RUNNING'
    })
    assert.ok(asked > 3 && asked < 10, String(asked))
    assert.equal(asides(), asked)
  })

  it('goes on alone when who was asked has gone, and again when another was quicker', async () => {
    const { run, hold, clock } = await scene()
    await hold({ owner: here, control: '/run/follower.sock' })
    const tried: string[] = []
    const done = run(async (turn) => {
      tried.push(turn.by)
      if (tried.length === 1) throw new HoldfastError('NOT_RUNNING', 'It has ended.')
      if (tried.length === 2) throw new HoldfastError('LEASE_HELD', 'Somebody was quicker.')
      return 'done'
    })
    await turns()
    await hold({ released: true })
    await clock.pass(minute)
    assert.equal(await done, 'done')
    assert.deepEqual(tried, ['another', 'nobody', 'nobody'])
  })

  it('is done again when who was asked ended in order before it was done: by nobody, or by who is there then', async () => {
    const { run, hold, clock, told } = await scene()
    await hold({ owner: here, control: '/run/first.sock' })
    const tried: string[] = []
    const done = run(async (turn) => {
      tried.push(await by(turn))
      if (tried.length === 1) await hold({ owner: here, control: '/run/second.sock' })
      if (tried.length === 2) await hold({ released: true })
      if (tried.length < 3) throw aborted()
      return 'done'
    })
    await clock.pass(minute)
    assert.equal(await done, 'done')
    assert.deepEqual(tried, ['another at /run/first.sock', 'another at /run/second.sock', 'nobody'])
    assert.match(told[0] ?? '', /^Another process works on app: .* It was asked, and ended before this was done\.$/)
  })

  it('fails, for all to see, when who is asked always ends before it is done', async () => {
    const { run, hold, clock } = await scene()
    await hold({ owner: here, control: '/run/follower.sock' })
    let asked = 0
    const done = run(async () => {
      asked += 1
      throw aborted()
    })
    await clock.pass(5 * minute)
    await assert.rejects(done, { code: 'NOT_RUNNING', message: /It was asked, and ended before this was done\.$/ })
    assert.ok(asked > 3 && asked < 10, String(asked))
  })

  it('is not done again when it was called off itself', async () => {
    const { run, hold, calledOff, asides } = await scene()
    await hold({ owner: here, control: '/run/follower.sock' })
    const done = run(async () => {
      calledOff.abort()
      throw aborted(calledOff.signal)
    })
    await assert.rejects(done, { code: 'ABORTED' })
    assert.equal(asides(), 0)
  })

  it('that fails otherwise is not tried again', async () => {
    const { run, asides } = await scene()
    await assert.rejects(
      run(() => Promise.reject(new HoldfastError('DISK_FULL', 'No room.'))),
      (error) => hasCode(error, 'DISK_FULL'),
    )
    assert.equal(asides(), 0)
  })

  it('is called off while it waits', async () => {
    const { run, hold, stopping, told } = await scene()
    await hold({})
    const done = run(by)
    await turns()
    stopping.abort()
    await assert.rejects(done, (error) => hasCode(error, aborted().code))
    assert.equal(told.at(-1), undefined)
  })

  it('waits for the own follower, which has its lease already, or will soon', async () => {
    const clock = new ManualClock()
    const { followed, following } = await followApp(clock)
    const starting = await scene({ followed: () => followed, isWorker: (pid) => pid === here.pid })
    await starting.hold({ owner: here, control: '/run/worker.sock' })
    const soon = starting.run(by)
    await clock.pass(minute)
    assert.match(starting.told[0] ?? '', /^Another process works on app/)
    await starting.hold({ released: true })
    await clock.pass(minute)
    assert.match(starting.told.at(-1) ?? '', /^app is not followed at the moment/)
    following.emit({ kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(1), time: 1 })
    await turns()
    assert.equal(await soon, 'us')
  })

  it('goes on to wait for another when the own follower was told to stop meanwhile', async () => {
    const clock = new ManualClock()
    const { followed } = await followApp(clock)
    const all = await scene({ followed: () => followed })
    await all.hold({})
    const done = all.run(by)
    await clock.pass(minute)
    await followed.stop(0)
    await clock.pass(5_000)
    await all.clock.pass(5 * minute)
    await all.hold({ released: true })
    await all.clock.pass(minute)
    assert.equal(await done, 'nobody')
  })

  it('is done by the follower that the configuration names now, when the former was ended meanwhile', async () => {
    const clock = new ManualClock()
    const former = await followApp(clock)
    const next = await followApp(clock)
    let current = former.followed
    const all = await scene({ followed: () => current })
    for (const { following } of [former, next])
      following.emit({ kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(1), time: 1 })
    const tried: Turn[] = []
    const done = all.run(async (turn) => {
      tried.push(turn)
      if (tried.length > 1) return 'done'
      throw aborted()
    })
    await turns()
    assert.equal(tried.length, 1, 'one that is about to end still follows, and is given time for that')
    assert.equal(all.told[0], 'Following app was ended before this was done.')
    current = next.followed
    await all.clock.pass(minute)
    assert.equal(await done, 'done')
    assert.deepEqual(
      tried.map((turn) => turn.by === 'us' && turn.followed),
      [former.followed, next.followed],
    )
    for (const { followed, worker, following } of [former, next]) {
      worker.answers.stop = () => {
        following.end({ segments: 0, bytes: 0 })
        return { segments: 0, bytes: 0 }
      }
      await followed.stop(0)
    }
  })

  it('does not wait for a lease that a follower of ours took which the configuration names only since', async () => {
    const clock = new ManualClock()
    const { followed, following } = await followApp(clock)
    let current: typeof followed | undefined
    const all = await scene({ followed: () => current, isWorker: (pid) => pid === here.pid })
    await all.hold({ owner: elsewhere, purpose: 'backup' })
    const done = all.run(by)
    await all.clock.pass(minute)
    current = followed
    await all.hold({ owner: here, control: '/run/worker.sock' })
    following.emit({ kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(1), time: 1 })
    await all.clock.pass(minute)
    assert.equal(await done, 'us')
  })

  it('is done alone when the own follower does not come back within two minutes', async () => {
    const clock = new ManualClock()
    const { followed } = await followApp(clock)
    const { run, told } = await scene({ followed: () => followed })
    const done = run(by)
    await clock.pass(2 * minute - 1)
    assert.deepEqual(told.length, 1)
    await clock.pass(5_000)
    assert.equal(await done, 'nobody')
  })
})
