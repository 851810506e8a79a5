import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runOutcomes } from '../../../src/agent/schedule/run-end.ts'
import { hasCode } from '../../../src/errors.ts'
import { abortable } from '../../../src/util/abort.ts'
import { KeptState, Rig, schedule } from './support/rig.ts'

const hour = 3_600_000
const minute = 60_000

describe('a scheduler', () => {
  it('knows of a run that was asked for and killed that it was interrupted, and does not repeat it', async () => {
    const state = new KeptState()
    const rig = new Rig('2026-11-21T06:00Z', { store: state })
    rig.scheduler.set('app', [schedule('nightly', { every: 'daily', at: '02:30' })])
    await rig.clock.until('2026-11-22T04:00Z')
    rig.holds = true
    rig.scheduler.runNow('app', 'nightly').catch(() => {})
    await rig.clock.pass(10 * minute)
    assert.equal(rig.scheduler.list()[0]?.outcome, 'asked')
    const next = new Rig('2026-11-22T05:00Z', { state: structuredClone(state.kept) })
    next.scheduler.set('app', [schedule('nightly', { every: 'daily', at: '02:30' })])
    assert.equal(next.scheduler.list()[0]?.outcome, 'interrupted')
    await next.clock.pass(hour)
    assert.deepEqual(next.take(), [])
    await rig.end()
    await rig.scheduler.stop()
    await next.scheduler.stop()
  })

  it('runs what is due, when it is due, and again', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('nightly', { every: 'daily', at: '02:30' })])
    await rig.clock.until('2026-11-24T00:00Z')
    assert.deepEqual(rig.take(), ['2026-11-22T02:30:00', '2026-11-23T02:30:00'])
    const [status] = rig.scheduler.list()
    assert.equal(status?.due, Date.parse('2026-11-24T02:30Z'))
    assert.equal(status?.lastDue, Date.parse('2026-11-23T02:30Z'))
    assert.deepEqual([status?.state, status?.outcome], ['waiting', 'succeeded'])
    await rig.scheduler.stop()
    assert.equal(rig.clock.timers, 0)
    await rig.clock.pass(48 * hour)
    assert.deepEqual(rig.take(), [])
  })

  it('counts an interval from the last run that was due, however long runs take', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('often', { every: '10m' })])
    rig.holds = true
    await rig.clock.pass(10 * minute)
    await rig.clock.pass(3 * minute)
    await rig.end()
    await rig.clock.pass(7 * minute)
    assert.deepEqual(rig.take(), ['2026-11-21T06:10:00', '2026-11-21T06:20:00'])
    await rig.end()
    await rig.scheduler.stop()
  })

  it('has one timer for many schedules, and none where only commits count', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    for (let i = 0; i < 500; i += 1) rig.scheduler.set(`app${i}`, [schedule('some', { afterCommits: 10 })])
    assert.equal(rig.clock.timers, 0)
    for (let i = 0; i < 500; i += 1) rig.scheduler.set(`app${i}`, [schedule('nightly', { every: 'daily' })])
    assert.equal(rig.clock.timers, 1)
    await rig.clock.pass(hour)
    assert.ok(rig.clock.wakes <= 61, `${rig.clock.wakes} wakes in an hour`)
    assert.equal(rig.clock.timers, 1)
  })

  it('does what is due while it is queued or runs once more, not once for each time', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('often', { every: '10m' })])
    rig.holds = true
    await rig.clock.pass(55 * minute)
    assert.deepEqual(rig.take(), ['2026-11-21T06:10:00'])
    assert.equal(rig.scheduler.list()[0]?.state, 'queued')
    await rig.end()
    assert.deepEqual(rig.take(), ['2026-11-21T06:55:00'], 'once for 06:20, 06:30, 06:40 and 06:50')
    await rig.end()
    assert.deepEqual(rig.take(), [])
    await rig.clock.pass(5 * minute)
    assert.deepEqual(rig.take(), ['2026-11-21T07:00:00'], 'the beat is kept')
    await rig.end()
    await rig.scheduler.stop()
  })

  it('runs one at a time of a database, and so many at once of all', async () => {
    const rig = new Rig('2026-11-21T06:00Z', { maxConcurrent: 3 })
    rig.holds = true
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      rig.scheduler.set(name, [schedule('one', { every: 'hourly' }), schedule('two', { every: 'hourly' })])
    await rig.clock.pass(hour)
    assert.equal(rig.running.length, 3)
    const seen = new Set<string>()
    while (rig.running.length > 0) {
      const databases = rig.running.map((place) => place.split('/')[0])
      assert.equal(new Set(databases).size, databases.length, 'one of each database')
      for (const place of rig.running) seen.add(place)
      await rig.end()
    }
    assert.deepEqual([seen.size, rig.runs.length, rig.most], [10, 10, 3])
    await rig.scheduler.stop()
  })

  it('spreads runs by their jitter, within its bounds', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('often', { every: 'hourly', jitter: '20m' })])
    for (const chance of [0.5, 0.999, 0]) {
      rig.clock.chance = chance
      await rig.clock.pass(70 * minute)
    }
    assert.deepEqual(rig.take(), ['2026-11-21T07:00:00', '2026-11-21T08:10:00', '2026-11-21T09:19:58'])
  })

  it('tells of failures, and goes on', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.fails = new Error('no disk')
    rig.scheduler.set('app', [schedule('often', { every: 'hourly' })])
    await rig.clock.pass(2 * hour)
    assert.deepEqual(rig.failures, [rig.fails, rig.fails])
    assert.equal(rig.scheduler.list()[0]?.outcome, 'failed')
  })

  it('remembers how a run ended that threw nothing, over a restart too, and goes on', async () => {
    for (const outcome of runOutcomes) {
      const store = new KeptState()
      const rig = new Rig('2026-11-21T06:00Z', { store })
      rig.outcome = outcome
      const often = schedule('often', { every: 'hourly' })
      rig.scheduler.set('app', [often])
      await rig.clock.pass(2 * hour)
      assert.equal(rig.take().length, 2)
      assert.deepEqual(rig.failures, [])
      assert.equal(rig.scheduler.list()[0]?.outcome, outcome)
      await rig.scheduler.stop()
      const next = new Rig('2026-11-21T08:10Z', { state: structuredClone(store.kept) })
      next.scheduler.set('app', [often])
      await next.clock.pass(minute)
      assert.deepEqual(next.take(), [], 'it is over, however it ended')
      assert.equal(next.scheduler.list()[0]?.outcome, outcome)
      await next.scheduler.stop()
    }
  })

  it('refuses two schedules with one id', () => {
    const rig = new Rig('2026-11-21T06:00Z')
    const twice = [schedule('a', { every: 'hourly' }), schedule('a', { every: 'daily' })]
    assert.throws(
      () => rig.scheduler.set('app', twice),
      (error) => hasCode(error, 'USAGE'),
    )
  })
})

describe('a run that is asked for', () => {
  it('begins at once, and leaves the clock of its schedule alone', async () => {
    const rig = new Rig('2026-11-21T06:20Z')
    rig.scheduler.set('app', [schedule('often', { every: 'hourly' })])
    rig.outcome = 'inconclusive'
    assert.deepEqual(await rig.scheduler.runNow('app', 'often'), { outcome: 'inconclusive' })
    await rig.clock.until('2026-11-21T07:30Z')
    assert.deepEqual(rig.take(), ['manual 2026-11-21T06:20:00', '2026-11-21T07:00:00'])
  })

  it('leaves alone what counts commits, bytes or quiet, however it ends', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    const all = [
      schedule('commits', { afterCommits: 100 }),
      schedule('bytes', { afterBytes: '1MB' }),
      schedule('calm', { quiet: '10m' }),
    ]
    rig.scheduler.set('app', all)
    rig.commit('app', 60, 600_000)
    for (const outcome of ['succeeded', 'failed', 'skipped'] as const) {
      rig.outcome = outcome
      for (const { id } of all) await rig.scheduler.runNow('app', id)
    }
    rig.fails = new Error('no disk')
    for (const { id } of all) await assert.rejects(rig.scheduler.runNow('app', id))
    rig.fails = undefined
    rig.take()
    for (const { since } of rig.scheduler.list()) assert.deepEqual(since, { commits: 60, bytes: 600_000 })
    await rig.clock.pass(5 * minute)
    rig.commit('app', 40, 400_000)
    await rig.clock.pass(10 * minute)
    assert.deepEqual(rig.take(), [
      'app/commits 2026-11-21T06:05:00',
      'app/bytes 2026-11-21T06:05:00',
      'app/calm 2026-11-21T06:15:00',
    ])
    await rig.scheduler.stop()
  })

  it('joins the one that is queued, and stands for one that came due while it waited', async () => {
    const rig = new Rig('2026-11-21T06:55Z')
    rig.holds = true
    rig.scheduler.set('app', [schedule('often', { every: 'hourly' }), schedule('other', { every: 'daily' })])
    const other = rig.scheduler.runNow('app', 'other')
    await rig.clock.pass(0)
    const [first, second] = [rig.scheduler.runNow('app', 'often'), rig.scheduler.runNow('app', 'often')]
    await rig.clock.until('2026-11-21T07:10Z')
    await rig.end()
    await rig.end()
    await Promise.all([other, first, second])
    await rig.clock.until('2026-11-21T07:50Z')
    assert.deepEqual(rig.take(), ['app/other manual 2026-11-21T06:55:00', 'app/often manual 2026-11-21T07:10:00'])
  })

  it('fails for who asked, and is told of', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.fails = new Error('no disk')
    rig.scheduler.set('app', [schedule('often', { every: 'hourly' })])
    await assert.rejects(rig.scheduler.runNow('app', 'often'), rig.fails)
    assert.equal(rig.failures.length, 1)
    await assert.rejects(rig.scheduler.runNow('app', 'none'), (error) => hasCode(error, 'SCHEDULE_NOT_FOUND'))
    await assert.rejects(rig.scheduler.runNow('none', 'often'), (error) => hasCode(error, 'SCHEDULE_NOT_FOUND'))
    await rig.scheduler.stop()
    await assert.rejects(rig.scheduler.runNow('app', 'often'), (error) => hasCode(error, 'ABORTED'))
  })
})

describe('what is committed makes runs due', () => {
  it('by the number of commits since the last run', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('some', { afterCommits: 100 })])
    const commit = async (count: number) => {
      rig.commit('app', count, 4096 * count)
      await rig.clock.pass(minute)
    }
    await commit(99)
    assert.deepEqual(rig.take(), [])
    assert.deepEqual(rig.scheduler.list()[0]?.since, { commits: 99, bytes: 405_504 })
    await commit(1)
    assert.deepEqual(rig.take(), ['2026-11-21T06:01:00'])
    await commit(250)
    assert.deepEqual(rig.take(), ['2026-11-21T06:02:00'], 'once for more than twice as many')
    await commit(99)
    assert.deepEqual(rig.take(), [])
  })

  it('by bytes; what is committed during a run counts for the next', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('some', { afterBytes: '1MB' })])
    rig.holds = true
    rig.commit('app', 1, 1_500_000)
    await rig.clock.pass(minute)
    rig.commit('app', 1, 999_999)
    rig.commit('app', 1, 1)
    await rig.clock.pass(minute)
    await rig.end()
    assert.deepEqual(rig.take(), ['2026-11-21T06:00:00', '2026-11-21T06:02:00'])
    await rig.end()
    await rig.clock.pass(hour)
    assert.deepEqual(rig.take(), [])
  })

  it('by a quiet time, that begins anew with each commit', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('calm', { quiet: '10m' })])
    await rig.clock.pass(hour)
    assert.deepEqual(rig.take(), [], 'nothing was committed')
    for (let i = 0; i < 5; i += 1) {
      rig.commit('app', 1, 1)
      await rig.clock.pass(7 * minute)
    }
    assert.deepEqual(rig.take(), [])
    await rig.clock.pass(3 * hour)
    assert.deepEqual(rig.take(), ['2026-11-21T07:38:00'])
  })
})

describe('over a restart', () => {
  const nightly = schedule('nightly', { every: 'daily', at: '02:30' })

  it('missed runs are caught up once, whatever number they are', async () => {
    const store = new KeptState()
    const before = new Rig('2026-11-21T06:00Z', { store })
    before.scheduler.set('app', [nightly, schedule('minutely', { cron: '* * * * *' })])
    await before.clock.until('2026-11-22T06:00Z')
    await before.scheduler.stop()
    before.take()

    const after = new Rig('2027-02-01T10:00:30Z', { store, state: store.kept })
    after.scheduler.set('app', [nightly, schedule('minutely', { cron: '* * * * *' })])
    await after.clock.pass(minute)
    assert.deepEqual(after.take(), [
      'app/minutely catch-up 2027-02-01T10:00:30',
      'app/nightly catch-up 2027-02-01T10:00:30',
      'app/minutely 2027-02-01T10:01:00',
    ])
    await after.clock.until('2027-02-02T02:29:30Z')
    assert.deepEqual(
      after.take().filter((run) => run.includes('nightly')),
      [],
    )
    await after.clock.pass(minute)
    assert.deepEqual(
      after.take().filter((run) => run.includes('nightly')),
      ['app/nightly 2027-02-02T02:30:00'],
    )
  })

  it('an interval goes on from where it was: restarts do not put it off', async () => {
    const store = new KeptState()
    let clock = new Rig('2026-11-21T06:00Z', { store }).clock
    const runs: string[] = []
    for (let i = 0; i < 5; i += 1) {
      const rig = new Rig(clock, { store, state: store.kept })
      rig.scheduler.set('app', [schedule('six', { every: '6h' })])
      await clock.pass(2.5 * hour)
      await rig.scheduler.stop()
      runs.push(...rig.take())
      clock = rig.clock
    }
    assert.deepEqual(runs, ['2026-11-21T12:00:00', '2026-11-21T18:00:00'])
  })

  it('a run that did not come to its end is done again', async () => {
    const store = new KeptState()
    const killed = new Rig('2026-11-22T02:00Z', { store })
    killed.scheduler.set('app', [nightly])
    killed.holds = true
    await killed.clock.until('2026-11-22T02:40Z')
    assert.deepEqual(killed.take(), ['2026-11-22T02:30:00'])

    const next = new Rig('2026-11-22T03:00Z', { store, state: structuredClone(store.kept) })
    next.scheduler.set('app', [nightly])
    await next.clock.until('2026-11-22T12:00Z')
    assert.deepEqual(next.take(), ['catch-up 2026-11-22T03:00:00'])
    assert.equal(next.scheduler.list()[0]?.outcome, 'succeeded')
  })

  it('a run that was called off is done again, one that failed is not', async () => {
    const store = new KeptState()
    const first = new Rig('2026-11-22T02:00Z', { store })
    first.scheduler.set('app', [nightly])
    first.scheduler.set('other', [nightly])
    first.holds = true
    await first.clock.until('2026-11-22T02:40Z')
    await first.end(new Error('no disk'))
    const stopped = first.scheduler.stop({ graceMs: 10_000 })
    await first.clock.pass(9_000)
    assert.deepEqual(first.running, ['other/nightly'])
    await first.clock.pass(2_000)
    await stopped
    assert.equal(first.failures.length, 1)

    const next = new Rig('2026-11-22T03:00Z', { store, state: store.kept })
    next.scheduler.set('app', [nightly])
    next.scheduler.set('other', [nightly])
    await next.clock.until('2026-11-22T12:00Z')
    assert.deepEqual(next.take(), ['other/nightly catch-up 2026-11-22T03:00:00'])
  })

  it('what was queued when it stopped is caught up, and what runs is waited for', async () => {
    const store = new KeptState()
    const first = new Rig('2026-11-22T02:00Z', { store, maxConcurrent: 1 })
    for (const name of ['a', 'b']) first.scheduler.set(name, [nightly])
    first.holds = true
    await first.clock.until('2026-11-22T02:40Z')
    let over = false
    const stopped = first.scheduler.stop().then(() => {
      over = true
    })
    await first.clock.pass(hour)
    assert.equal(over, false)
    await first.end()
    await stopped
    assert.equal(first.runs.length, 1)

    const next = new Rig('2026-11-22T04:00Z', { store, state: store.kept })
    for (const name of ['a', 'b']) next.scheduler.set(name, [nightly])
    await next.clock.pass(hour)
    assert.deepEqual(next.take(), ['b/nightly catch-up 2026-11-22T04:00:00'])
  })

  it('a run that stands aside keeps no other from its turn, is called off by a stop at once, and is caught up', async () => {
    const store = new KeptState()
    const begun: string[] = []
    const first = new Rig('2026-11-22T02:00Z', {
      store,
      maxConcurrent: 1,
      run: async ({ database }, _signal, aside) => {
        begun.push(database)
        if (database !== 'free') await aside((stopping) => abortable(new Promise<void>(() => {}), stopping))
        return { outcome: 'succeeded' }
      },
    })
    for (const name of ['held', 'leased', 'free']) first.scheduler.set(name, [nightly])
    await first.clock.until('2026-11-22T02:40Z')
    assert.deepEqual(begun.toSorted(), ['free', 'held', 'leased'])
    await first.scheduler.stop({ graceMs: hour })
    assert.deepEqual(first.failures, [])

    const next = new Rig('2026-11-22T03:00Z', { store, state: store.kept })
    for (const name of ['held', 'leased', 'free']) next.scheduler.set(name, [nightly])
    await next.clock.pass(hour)
    assert.deepEqual(next.take(), [
      'held/nightly catch-up 2026-11-22T03:00:00',
      'leased/nightly catch-up 2026-11-22T03:00:00',
    ])
  })

  it('counts of commits go on', async () => {
    const store = new KeptState()
    const some = schedule('some', { afterCommits: 100 })
    const first = new Rig('2026-11-22T02:00Z', { store })
    first.scheduler.set('app', [some])
    first.commit('app', 60, 0)
    await first.scheduler.stop()
    const next = new Rig('2026-11-22T04:00Z', { store, state: store.kept })
    next.scheduler.set('app', [some])
    next.commit('app', 39, 0)
    await next.clock.pass(minute)
    assert.deepEqual(next.take(), [])
    next.commit('app', 1, 0)
    await next.clock.pass(minute)
    assert.deepEqual(next.take(), ['2026-11-22T04:01:00'])
  })

  it('what was committed and not counted, because the process was killed, counts when following goes on', async () => {
    const calm = schedule('calm', { quiet: '10m' })
    const store = new KeptState()
    const killed = new Rig('2026-11-22T02:00Z', { store })
    // Following may begin before it is known what is to be done.
    killed.scheduler.notifyFollowed('app', 7)
    killed.scheduler.set('app', [calm])
    await killed.clock.pass(5_000)
    killed.scheduler.notifyCommits('app', { commits: 1, bytes: 1, lsn: 8 }, killed.clock.now())
    const kept = structuredClone(store.kept)

    const next = new Rig('2026-11-22T02:01Z', { store, state: kept })
    next.scheduler.notifyFollowed('app', 8)
    next.scheduler.set('app', [calm])
    await next.clock.pass(hour)
    assert.deepEqual(next.take(), ['2026-11-22T02:11:00'])
    // Nothing was committed, or there is another history.
    for (const lsn of [8, 3, 3]) {
      next.scheduler.notifyFollowed('app', lsn)
      await next.clock.pass(hour)
    }
    assert.deepEqual(next.take(), [])
    await killed.scheduler.stop()
    await next.scheduler.stop()
  })

  it('without a state, what was missed since a known moment is caught up', async () => {
    const rig = new Rig('2026-11-22T04:00Z')
    rig.scheduler.set('app', [nightly], { since: () => Date.parse('2026-11-20T12:00Z') })
    rig.scheduler.set('new', [nightly], { since: () => Date.parse('2026-11-22T03:00Z') })
    await rig.clock.pass(hour)
    assert.deepEqual(rig.take(), ['app/nightly catch-up 2026-11-22T04:00:00'])
  })

  it('without a state, an interval that was missed is caught up at once, and called so, and counts from there', async () => {
    const rig = new Rig('2026-11-22T04:00:30Z')
    const often = schedule('often', { every: '1m' })
    rig.scheduler.set('app', [often], { since: () => Date.parse('2026-11-22T03:59:00Z') })
    await rig.clock.pass(2.5 * minute)
    assert.deepEqual(rig.take(), ['catch-up 2026-11-22T04:00:30', '2026-11-22T04:01:29', '2026-11-22T04:02:29'])
    rig.scheduler.set('soon', [often], { since: () => rig.clock.now() - 40_000 })
    await rig.clock.pass(20_000)
    assert.deepEqual(
      rig.take().filter((run) => run.startsWith('soon')),
      ['soon/often 2026-11-22T04:03:20'],
    )
    await rig.scheduler.stop()
  })

  it('what was due just before an agent began was missed all the same', async () => {
    const store = new KeptState()
    const first = new Rig('2026-11-22T02:00Z', { store })
    first.scheduler.set('app', [nightly])
    await first.scheduler.stop()
    const next = new Rig('2026-11-22T02:30:10Z', { store, state: store.kept })
    next.scheduler.set('app', [nightly])
    await next.clock.pass(minute)
    assert.deepEqual(next.take(), ['catch-up 2026-11-22T02:30:10'])
    await next.scheduler.stop()
  })

  it('a state that cannot be kept is told of and tried again, and runs go on', async () => {
    const store = new KeptState()
    store.fails = new Error('disk full')
    const rig = new Rig('2026-11-22T02:00Z', { store })
    rig.scheduler.set('app', [schedule('often', { every: 'hourly' })])
    await rig.clock.pass(10 * minute)
    assert.equal(rig.problems.length, 10)
    store.fails = undefined
    await rig.clock.pass(hour)
    assert.equal(rig.take().length, 1)
    assert.ok(store.writes >= 2)
    await rig.scheduler.stop()
    assert.equal(store.kept.get('app')?.schedules.get('often')?.outcome, 'succeeded')
  })
})

describe('on a reload', () => {
  it('schedules that stay go on, also one that is queued; those that go are not run', async () => {
    const rig = new Rig('2026-11-21T06:30Z', { maxConcurrent: 1 })
    rig.holds = true
    const [stays, goes] = [schedule('stays', { every: 'hourly' }), schedule('goes', { every: 'hourly' })]
    rig.scheduler.set('busy', [stays])
    rig.scheduler.set('app', [stays, goes])
    await rig.clock.pass(hour)
    assert.deepEqual(rig.running, ['busy/stays'])
    rig.scheduler.set('app', [schedule('stays', { every: 'hourly', tags: { by: 'reload' } })])
    await rig.end()
    assert.deepEqual(rig.running, ['app/stays'])
    assert.equal(rig.runs.at(-1)?.due, Date.parse('2026-11-21T07:00Z'))
    await rig.end()
    assert.deepEqual(rig.running, [])
    rig.scheduler.set('app', [])
    rig.scheduler.set('busy', [])
    rig.runs.splice(0)
    await rig.clock.pass(24 * hour)
    assert.deepEqual(rig.runs, [])
    assert.deepEqual(rig.scheduler.list(), [])
  })

  it('one with another trigger begins anew', async () => {
    const rig = new Rig('2026-11-21T06:30Z')
    rig.scheduler.set('app', [schedule('a', { every: 'yearly' })])
    await rig.clock.pass(72 * hour)
    rig.scheduler.set('app', [schedule('a', { every: 'daily' })])
    await rig.clock.pass(24 * hour)
    assert.deepEqual(rig.take(), ['2026-11-25T00:00:00'])
  })

  it('a database that is gone for a while goes on where it was; one that is gone for long is forgotten', async () => {
    const store = new KeptState()
    const rig = new Rig('2026-11-21T06:30Z', { store })
    const nightly = schedule('nightly', { every: 'daily' })
    rig.scheduler.set('app', [nightly])
    rig.scheduler.set('other', [nightly])
    await rig.clock.pass(24 * hour)
    rig.scheduler.set('app', [])
    await rig.clock.pass(72 * hour)
    rig.take()
    rig.scheduler.set('app', [nightly])
    await rig.clock.pass(minute)
    assert.deepEqual(rig.take(), ['app/nightly catch-up 2026-11-25T06:30:00'])
    rig.scheduler.set('app', [])
    await rig.clock.pass(29 * 24 * hour)
    assert.deepEqual([...store.kept.keys()], ['app', 'other'])
    await rig.clock.pass(2 * 24 * hour)
    assert.deepEqual([...store.kept.keys()], ['other'])
  })

  it('where nothing is written down, one that is removed is forgotten, and others are not', async () => {
    const rig = new Rig('2026-11-21T06:30Z')
    const [nightly, hourly] = [schedule('nightly', { every: 'daily' }), schedule('hourly', { every: 'hourly' })]
    rig.scheduler.set('app', [nightly, hourly])
    rig.scheduler.set('app', [nightly])
    await rig.clock.pass(5 * hour)
    rig.scheduler.set('app', [nightly, hourly])
    await rig.clock.pass(10 * minute)
    assert.deepEqual(rig.take(), [], 'it counts from when it came back')
    rig.scheduler.set('app', [nightly])
    assert.equal(rig.scheduler.remembers('app'), true)
    rig.scheduler.set('app', [])
    assert.equal(rig.scheduler.remembers('app'), false)
    await rig.scheduler.stop()
  })

  it('one that runs while it goes and comes back is not taken for interrupted', async () => {
    const rig = new Rig('2026-11-21T06:30Z')
    rig.holds = true
    const hourly = schedule('a', { every: 'hourly' })
    rig.scheduler.set('app', [hourly])
    await rig.clock.pass(40 * minute)
    rig.scheduler.set('app', [])
    rig.scheduler.set('app', [hourly])
    await rig.clock.pass(minute)
    await rig.end()
    await rig.clock.pass(minute)
    assert.equal(rig.runs.length, 1)
    await rig.scheduler.stop()
  })
})
