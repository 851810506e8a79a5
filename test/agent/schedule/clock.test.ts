import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nextRun } from '../../../src/agent/schedule/next-run.ts'
import { statusFromState } from '../../../src/agent/schedule/schedule-status.ts'
import { wallClock } from '../../../src/agent/schedule/zone-time.ts'
import { FakeSchedulerClock } from './support/fake-scheduler-clock.ts'
import { KeptState, Rig, schedule } from './support/rig.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Waits for what happens only where something does, so that years pass quickly. */
async function pass(rig: Rig, milliseconds: number): Promise<void> {
  let seen = rig.runs.length
  await rig.clock.pass(milliseconds, () => {
    const settle = rig.scheduler.list().some(({ state }) => state !== 'waiting') || rig.runs.length !== seen
    seen = rig.runs.length
    return settle
  })
}

describe('over years', () => {
  for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'])
    it(`no run is lost or doubled in ${timeZone}, at any change of its clock`, async () => {
      const rig = new Rig(timeZone === 'Pacific/Apia' ? '2011-01-02T00:00Z' : '2026-01-01T00:00Z')
      const start = rig.clock.now()
      rig.scheduler.set('app', [
        schedule('nightly', { every: 'daily', at: '02:15', timeZone }),
        schedule('hourly', { every: 'hourly', at: ':15', timeZone }),
        schedule('leap', { every: 'yearly', at: '02-29', timeZone }),
        schedule('last', { every: 'monthly', at: 'last 23:30', timeZone }),
      ])
      const years = timeZone === 'Europe/Berlin' ? 2 : 1
      await pass(rig, years * 365 * day)
      const end = rig.clock.now()
      await rig.scheduler.stop()
      const times = (id: string) => rig.runs.filter(({ schedule }) => schedule.id === id).map(({ at }) => at)
      const dates = (id: string) => times(id).map((at) => new Date(wallClock(at, timeZone)).toISOString().slice(0, 10))
      const month = (moment: number) => new Date(wallClock(moment, timeZone)).toISOString().slice(0, 7)

      assert.ok(rig.runs.every(({ reason }) => reason === 'schedule'))
      assert.equal(new Set(dates('nightly')).size, years * 365, 'on each day')
      assert.equal(times('nightly').length, years * 365, 'once a day')
      assert.deepEqual(
        times('hourly').map((at) => Math.floor(at / hour)),
        Array.from({ length: years * 365 * 24 }, (_, i) => start / hour + i),
      )
      assert.equal(times('leap').length, years)
      assert.equal(times('last').length, 12 * years)
      assert.equal(new Set(times('last').map(month)).size, 12 * years)
      assert.ok(end > Math.max(...rig.runs.map(({ at }) => at)))
    })
})

describe('when the clock jumps', () => {
  it('forward, or the machine slept, missed runs are caught up once, within a minute', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('hourly', { every: 'hourly' })])
    await rig.clock.pass(90 * minute)
    rig.clock.jump('2026-11-24T12:20:10Z')
    await rig.clock.pass(minute)
    const runs = rig.take()
    assert.equal(runs[0], '2026-11-21T07:00:00')
    assert.match(runs[1] ?? '', /^catch-up 2026-11-24T12:(20|21):/)
    assert.equal(runs.length, 2)
    await rig.clock.until('2026-11-24T13:30Z')
    assert.deepEqual(rig.take(), ['2026-11-24T13:00:00'])
  })

  it('back by hours, nothing that ran is run again', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [
      schedule('hourly', { every: 'hourly' }),
      schedule('nightly', { every: 'daily', at: '07:00' }),
    ])
    await rig.clock.until('2026-11-21T10:30Z')
    assert.equal(rig.take().length, 5)
    rig.clock.jump('2026-11-21T06:45Z')
    await rig.clock.until('2026-11-21T10:59Z')
    assert.deepEqual(rig.take(), [])
    await rig.clock.until('2026-11-21T12:30Z')
    assert.deepEqual(rig.take(), ['app/hourly 2026-11-21T11:00:00', 'app/hourly 2026-11-21T12:00:00'])
  })

  it('back by days, a monthly run is not repeated, and hourly ones go on', async () => {
    const rig = new Rig('2026-11-30T20:00Z')
    rig.scheduler.set('app', [schedule('hourly', { every: 'hourly' }), schedule('monthly', { every: 'monthly' })])
    await rig.clock.until('2026-12-01T01:30Z')
    rig.take()
    rig.clock.jump('2026-11-28T01:30Z')
    await rig.clock.until('2026-11-28T04:30Z')
    assert.equal(rig.take().length, 3)
    await rig.clock.until('2026-12-15T00:00Z')
    assert.ok(!rig.take().some((run) => run.includes('monthly')))
    await rig.clock.until('2027-01-01T00:10Z')
    assert.ok(rig.take().some((run) => run.includes('monthly')))
  })

  it('to another century and back, schedules do not wait for it', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    const [hourly, nightly, often] = ['hourly', 'daily', '10m'].map((every, i) => schedule(`s${i}`, { every }))
    assert.ok(hourly !== undefined && nightly !== undefined && often !== undefined)
    rig.scheduler.set('app', [hourly, nightly, often])
    rig.scheduler.set('other', [schedule('calm', { quiet: '5m' })])
    rig.clock.jump('2126-01-01T00:30Z')
    await rig.clock.pass(2 * minute)
    rig.commit('other', 1, 1)
    rig.clock.jump('2026-11-21T06:05Z')
    await rig.clock.pass(minute)
    rig.take()
    await rig.clock.until('2026-11-22T06:03Z')
    const runs = rig.take()
    const count = (id: string) => runs.filter((run) => run.includes(id)).length
    assert.deepEqual([count('s0 '), count('s1 '), count('calm')], [24, 1, 1])
    assert.ok(count('s2 ') >= 143, `${count('s2 ')} of every ten minutes`)
  })

  it('back by hours, an interval counts from now', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('often', { every: '10m' })])
    await rig.clock.pass(35 * minute)
    rig.take()
    rig.clock.jump('2026-11-21T02:00Z')
    await rig.clock.pass(22 * minute)
    assert.equal(rig.take().length, 2)
  })

  it('back while a run waits, that run is not repeated', async () => {
    const rig = new Rig('2026-11-21T06:50Z')
    rig.holds = true
    rig.scheduler.set('app', [schedule('hourly', { every: 'hourly' }), schedule('long', { every: 'yearly' })])
    const long = rig.scheduler.runNow('app', 'long')
    await rig.clock.until('2026-11-21T07:10Z')
    rig.clock.jump('2026-11-21T06:30Z')
    await rig.end()
    await long
    assert.deepEqual(rig.running, ['app/hourly'])
    await rig.end()
    await rig.clock.until('2026-11-21T07:50Z')
    assert.equal(rig.runs.length, 2)
    await rig.scheduler.stop()
  })

  it('back, and a killed run is done again, those after it are not', async () => {
    const store = new KeptState()
    const hourly = schedule('hourly', { every: 'hourly' })
    const killed = new Rig('2026-11-21T08:30Z', { store })
    killed.scheduler.set('app', [hourly])
    await killed.clock.pass(hour)
    killed.holds = true
    await killed.clock.pass(hour)
    assert.deepEqual(killed.running, ['app/hourly'])
    const rig = new Rig('2026-11-21T07:45Z', { store, state: store.kept })
    rig.scheduler.set('app', [hourly])
    await rig.clock.until('2026-11-21T11:30Z')
    assert.deepEqual(rig.take(), ['catch-up 2026-11-21T07:45:00', '2026-11-21T11:00:00'])
  })

  it('in a new process as well', async () => {
    const store = new KeptState()
    const nightly = schedule('nightly', { every: 'daily' })
    const early = new Rig('2099-12-31T23:00Z', { store })
    early.scheduler.set('app', [nightly])
    await early.clock.pass(2 * hour)
    early.holds = true
    await early.clock.pass(24 * hour)
    assert.equal(early.runs.length, 2)
    const rig = new Rig('2026-11-21T06:00Z', { store, state: store.kept })
    rig.scheduler.set('app', [nightly])
    await rig.clock.pass(24 * hour)
    assert.deepEqual(rig.take(), ['catch-up 2026-11-21T06:00:00', '2026-11-22T00:00:00'])
  })

  for (const [what, when] of [
    ['a quiet time', { quiet: '10m' }],
    ['a number of commits', { afterCommits: 10 }],
    ['bytes', { afterBytes: 100 }],
  ] as const)
    it(`in a new process as well, and what waits for ${what} does not wait for the former time`, async () => {
      const store = new KeptState()
      const specs = [schedule('some', when)]
      const ahead = new Rig('2027-06-01T00:00Z', { store })
      ahead.scheduler.set('app', specs)
      ahead.commit('app', 10, 100)
      await ahead.clock.pass(hour)
      await ahead.scheduler.stop()
      assert.equal(ahead.take().length, 1)

      const known = structuredClone(store.kept.get('app'))
      const rig = new Rig('2026-06-01T00:00Z', { store, state: store.kept })
      rig.scheduler.set('app', specs)
      for (let day = 0; day < 3; day += 1) {
        rig.commit('app', 10, 100)
        await rig.clock.pass(24 * hour)
      }
      assert.equal(rig.take().length, 3)
      await rig.scheduler.stop()
      // Without an agent too, "schedule list" tells it from what is kept.
      const [spec] = specs
      assert.ok(known !== undefined && spec !== undefined)
      const committed = { ...known, commits: known.commits + 10, bytes: known.bytes + 100 }
      const now = Date.parse('2026-06-01T00:00Z')
      const { due } = statusFromState('app', spec, committed, now)
      assert.ok(due !== undefined && due <= now + hour)
    })

  it('back, and a schedule that is new counts from now, not from what is dated in the future', async () => {
    const rig = new Rig('2026-11-21T06:00Z')
    rig.scheduler.set('app', [schedule('nightly', { every: 'daily' })], {
      since: () => Date.parse('2026-11-22T05:00Z'),
    })
    await rig.clock.pass(24 * hour)
    assert.deepEqual(rig.take(), ['2026-11-22T00:00:00'])
    await rig.scheduler.stop()
  })
})

it('whatever the clock, the processes and the commits do: never two runs at once, none forgotten for long', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 5 * hour }) }),
    fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -3 * day, max: 3 * day }) }),
    fc.record({ kind: fc.constant('restart' as const), ms: fc.integer({ min: 0, max: 2 * day }) }),
    fc.record({ kind: fc.constant('kill' as const), ms: fc.integer({ min: 0, max: 2 * day }) }),
    fc.record({ kind: fc.constant('commit' as const), ms: fc.integer({ min: 0, max: hour }) }),
    fc.record({ kind: fc.constant('reload' as const), ms: fc.integer({ min: 0, max: hour }) }),
  )
  const specs = [
    schedule('hourly', { every: 'hourly', at: ':20' }),
    schedule('nightly', { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }),
    schedule('six', { every: '6h', jitter: '10m' }),
    schedule('some', { afterCommits: 3 }),
    schedule('calm', { quiet: '30m' }),
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const store = new KeptState()
      const clock = new FakeSchedulerClock('2026-10-24T12:00Z')
      const begin = (wall: number) => {
        const mine = new FakeSchedulerClock(new Date(wall).toISOString())
        mine.chance = clock.chance
        const rig = new Rig(mine, { store, state: structuredClone(store.kept), maxConcurrent: 1 })
        rig.scheduler.set('app', specs)
        return rig
      }
      let rig = begin(clock.now())
      for (const { kind, ms } of steps) {
        if (kind === 'jump') rig.clock.wall += ms
        else if (kind === 'commit') rig.commit('app', 2, 4096)
        else if (kind === 'reload') rig.scheduler.set('app', ms % 2 === 0 ? specs.slice(1) : specs)
        if (kind === 'restart') await rig.scheduler.stop()
        // What a killed process would still do is done under a clock that stands.
        if (kind === 'kill' || kind === 'restart') rig = begin(rig.clock.now() + ms)
        else if (kind !== 'jump') await pass(rig, ms)
        assert.ok(rig.most <= 1)
      }
      rig.scheduler.set('app', specs)
      await pass(rig, 2 * day)
      rig.runs.splice(0)
      // With a clock that goes right, all is as it should be within two days.
      const from = rig.clock.now()
      await pass(rig, 3 * day)
      const of = (id: string) => rig.runs.filter(({ schedule }) => schedule.id === id)
      assert.equal(of('hourly').length, 72)
      const berlin = specs[1]?.trigger
      assert.ok(berlin !== undefined)
      let nights = 0
      for (let at = nextRun(berlin, from); at !== undefined && at <= rig.clock.now(); at = nextRun(berlin, at))
        nights += 1
      assert.equal(of('nightly').length, nights)
      assert.equal(of('six').length >= 11 && of('six').length <= 13, true, `${of('six').length} in three days`)
      for (const status of rig.scheduler.list())
        assert.ok(status.due === undefined || status.due <= rig.clock.now() + day, `${status.schedule.id} waits`)
      await rig.scheduler.stop()
    }),
    { numRuns: 40 },
  )
})
