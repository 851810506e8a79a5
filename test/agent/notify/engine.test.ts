import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Alert, alertKinds, lastedMs } from '../../../src/agent/notify/alert.ts'
import { advance, type Observation } from '../../../src/agent/notify/engine/advance.ts'
import { defaultAlertSettings } from '../../../src/agent/notify/engine/alert-settings.ts'
import { type AlertState, alertState } from '../../../src/agent/notify/engine/alert-state.ts'
import { aCondition, day, Engine, hour, minute, start, told } from './support/alerts.ts'

describe('an alert', () => {
  test('is told once, however often its condition is seen, and once when it is over', () => {
    const engine = new Engine()
    assert.deepEqual(told(engine.see({ what: 'present', condition: aCondition() })), ['firing failure'])
    for (let minutes = 1; minutes <= 60; minutes += 1) {
      engine.now += minute
      assert.deepEqual(engine.see({ what: 'present', condition: aCondition() }), [])
    }
    const [over, ...more] = engine.see({ what: 'absent', key: aCondition().key })
    assert.equal(over?.state, 'recovered')
    assert.equal(over && lastedMs(over), hour)
    assert.deepEqual(more, [])
    assert.deepEqual(told(engine.wait(3 * day)), [])
  })

  test('is told again every day for as long as it lasts', () => {
    const engine = new Engine()
    engine.see({ what: 'present', condition: aCondition() })
    assert.deepEqual(told(engine.wait(3 * day)), ['reminder 1 failure', 'reminder 2 failure', 'reminder 3 failure'])
  })

  test('that lasts too shortly to be told ends without a word', () => {
    const engine = new Engine()
    const lag = aCondition({ key: 'lag/app', kind: 'lag' })
    assert.deepEqual(engine.see({ what: 'present', condition: lag }), [])
    engine.now += minute - 1
    assert.deepEqual(engine.see({ what: 'absent', key: lag.key }), [])
    assert.deepEqual(engine.wait(day), [])
    assert.deepEqual(engine.state, {})
  })

  test('waits as long as its observation asks for, from when it was first seen', () => {
    const engine = new Engine()
    const condition = aCondition({ key: 'overdue/app', kind: 'overdue' })
    assert.deepEqual(engine.see({ what: 'present', condition, delayMs: 2 * hour }), [])
    engine.now += hour
    assert.deepEqual(engine.see({ what: 'present', condition, delayMs: 2 * hour }), [])
    const [alert] = engine.wait(hour)
    assert.equal(alert?.at, start + 2 * hour)
  })

  test('is told on sight alone, where that is asked for: not because time passed, and not before its time', () => {
    const engine = new Engine()
    const condition = aCondition({ key: 'overdue/app', kind: 'overdue' })
    const present = { what: 'present', condition, delayMs: hour, onSight: true } as const
    assert.deepEqual(engine.see(present), [])
    assert.deepEqual(engine.wait(hour - 1), [])
    assert.deepEqual(engine.see(present), [])
    assert.deepEqual(engine.wait(day), [])
    assert.deepEqual(told(engine.see(present)), ['firing overdue'])
    assert.deepEqual(told(engine.wait(day)), ['reminder 1 overdue'])
  })

  test('that becomes critical is told at once, but not each time when it eases and does so again', () => {
    const engine = new Engine()
    const spool = aCondition({ key: 'spool/app', kind: 'spool', severity: 'warning' })
    assert.deepEqual(told(engine.see({ what: 'present', condition: spool })), ['firing spool'])
    const [worse] = engine.see({ what: 'present', condition: { ...spool, severity: 'critical' } })
    assert.equal(worse?.severity, 'critical')
    assert.deepEqual(engine.see({ what: 'present', condition: spool }), [])
    assert.deepEqual(told(engine.wait(day - 1)), [])
    assert.deepEqual(told(engine.wait(1)), ['reminder 1 spool'])
    assert.deepEqual(engine.see({ what: 'present', condition: { ...spool, severity: 'critical' } }), [])
    assert.deepEqual(engine.see({ what: 'present', condition: spool }), [])
    assert.deepEqual(engine.see({ what: 'absent', key: spool.key }), [])
    const [over] = engine.wait(5 * minute)
    assert.deepEqual([over?.state, over?.severity], ['recovered', 'critical'])
  })

  test('of what happens rather than lasts counts, and is over when it has not happened again', () => {
    const engine = new Engine()
    const gap = aCondition({ key: 'gap/app', kind: 'gap' })
    const happened: Observation = { what: 'happened', condition: gap, forMs: hour }
    assert.deepEqual(told(engine.see(happened)), ['firing gap'])
    engine.now += 50 * minute
    assert.deepEqual(engine.see(happened), [])
    assert.deepEqual(engine.wait(59 * minute), [])
    const [over] = engine.wait(minute)
    assert.deepEqual([over?.state, over?.times], ['recovered', 2])
  })

  test('that comes and goes is damped more and more, until it is one', () => {
    const engine = new Engine()
    const alerts: Alert[] = []
    for (let round = 0; round < 48; round += 1) {
      alerts.push(...engine.see({ what: 'happened', condition: aCondition() }), ...engine.wait(30 * minute))
      alerts.push(...engine.see({ what: 'absent', key: aCondition().key }), ...engine.wait(30 * minute))
    }
    // Two days of failing every other half hour.
    assert.ok(alerts.length <= 8, `${told(alerts)}`)
    assert.equal(alerts.at(-1)?.state, 'firing')
    assert.deepEqual(told(engine.wait(7 * hour)), ['recovered failure'])
  })

  test('that came back after a day is as new', () => {
    const engine = new Engine()
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(told(engine.see({ what: 'present', condition: aCondition() })), ['firing failure'])
      assert.deepEqual(told(engine.see({ what: 'absent', key: aCondition().key })), ['recovered failure'])
      engine.wait(25 * hour)
    }
    assert.deepEqual(engine.state, {})
  })

  test('that comes back within the same millisecond is another incident', () => {
    const engine = new Engine()
    const [first] = engine.see({ what: 'present', condition: aCondition() })
    const [end] = engine.see({ what: 'absent', key: aCondition().key })
    const [second] = engine.see({ what: 'present', condition: aCondition() })
    assert.equal(first?.incident, end?.incident)
    assert.notEqual(first?.incident, second?.incident)
  })

  test('of a database that is no longer ours is over, and whoever was told of it is told why', () => {
    const engine = new Engine()
    const other = aCondition({ key: 'overdue/other', kind: 'overdue', database: 'other' })
    const untold = aCondition({ key: 'lag/app', kind: 'lag' })
    engine.see(...[aCondition(), other, untold].map((condition) => ({ what: 'present', condition }) as const))
    const alerts = engine.see({ what: 'forgotten', database: 'app' })
    assert.deepEqual(told(alerts), ['recovered failure'])
    assert.equal(
      alerts[0]?.summary,
      'app is no longer looked after. Before that: The incremental backup of app failed: The disk is full.',
    )
    assert.deepEqual(Object.keys(engine.state), ['overdue/other'])
    assert.deepEqual(engine.see({ what: 'forgotten', database: 'app' }), [])
  })

  test('of which nobody looks any more whether it is so is over, with the reason; what nobody was told of ends without a word', () => {
    const engine = new Engine()
    const waiting = aCondition({ key: 'lag/app', kind: 'lag' })
    engine.see({ what: 'present', condition: aCondition() }, { what: 'present', condition: waiting })
    const why = 'Nothing asks for it any more.'
    const drop = (key: string) => engine.see({ what: 'dropped', key, why })
    assert.deepEqual([drop('lag/app'), drop('nothing')], [[], []])
    const [end] = drop(aCondition().key)
    assert.equal(end?.state, 'recovered')
    assert.match(end?.summary ?? '', /^Nothing asks for it any more\. Before that: The incremental backup/)
    assert.deepEqual(engine.state, {})
  })

  test('survives a clock that jumps back by a year: it is over when its condition is', () => {
    const engine = new Engine()
    engine.see({ what: 'present', condition: aCondition() })
    engine.now -= 365 * day
    assert.deepEqual(engine.see({ what: 'present', condition: aCondition() }), [])
    assert.deepEqual(told(engine.wait(day)), ['reminder 1 failure'])
    const [over] = engine.see({ what: 'absent', key: aCondition().key })
    assert.equal(over?.state, 'recovered')
    assert.equal(over && lastedMs(over), 0)
    engine.wait(2 * day)
    assert.deepEqual(engine.state, {})
  })

  test('that happened while the clock was years ahead is over as soon as if it had not been', () => {
    for (const isOld of [false, true]) {
      const engine = new Engine()
      engine.now += 3 * 365 * day
      engine.see({ what: 'happened', condition: aCondition({ key: 'agent/killed', kind: 'agent' }), forMs: hour })
      // As a document says it that was written before the time was kept for which it lasts.
      if (isOld) engine.state = JSON.parse(JSON.stringify(engine.state).replace(/,"forMs":\d+/, ''))
      assert.equal(JSON.stringify(engine.state).includes('forMs'), !isOld)
      engine.now = start
      assert.deepEqual(told(engine.wait(hour - minute)), [])
      assert.deepEqual(told(engine.wait(2 * minute)), ['recovered agent'])
    }
  })

  test('that happens again while the clock is set back lasts from then on', () => {
    const engine = new Engine()
    const happened = { what: 'happened', condition: aCondition({ key: 'gap/app', kind: 'gap' }), forMs: hour } as const
    engine.see(happened)
    engine.now -= day
    assert.deepEqual(told(engine.wait(minute)), [])
    engine.see(happened)
    assert.deepEqual(told(engine.wait(59 * minute)), [])
    assert.deepEqual(told(engine.wait(minute)), ['recovered gap'])
  })
})

test('every kind of alert fires and clears', () => {
  for (const kind of alertKinds) {
    const engine = new Engine()
    const condition = aCondition({ key: `${kind}/app`, kind })
    const begun = [...engine.see({ what: 'present', condition }), ...engine.wait(2 * minute)]
    assert.deepEqual(told(begun), [`firing ${kind}`])
    const ended = [...engine.see({ what: 'absent', key: condition.key }), ...engine.wait(hour)]
    assert.deepEqual(told(ended), [`recovered ${kind}`])
  }
})

describe('whatever is seen, in whatever order', () => {
  const key = fc.constantFrom('a', 'b')
  const step = fc.record({
    passes: fc.oneof(fc.nat(10 * minute), fc.nat(2 * day), fc.integer({ min: -day, max: 0 })),
    what: fc.constantFrom('present', 'happened', 'absent', 'nothing'),
    forMs: fc.option(fc.nat(2 * hour), { nil: undefined }),
    key,
    kind: fc.constantFrom(...alertKinds),
  })

  test('each incident is told first once, ends at most once and is reminded of at most once a day', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = start
        let state: AlertState = {}
        const byIncident = new Map<string, Alert[]>()
        for (const { passes, what, key, kind, forMs } of steps) {
          now += Math.max(0, passes)
          const condition = aCondition({ key, kind })
          const observations: Observation[] =
            what === 'nothing'
              ? []
              : what === 'absent'
                ? [{ what, key }]
                : [what === 'present' ? { what, condition } : { what, condition, forMs }]
          const { alerts, ...next } = advance(state, observations, now, defaultAlertSettings)
          state = alertState.parse(JSON.parse(JSON.stringify(next.state)))
          assert.ok(next.nextAt === undefined || next.nextAt > now, 'it never asks to be called at once')
          for (const alert of alerts) byIncident.set(alert.incident, [...(byIncident.get(alert.incident) ?? []), alert])
        }
        for (const alerts of byIncident.values()) {
          assert.deepEqual([alerts[0]?.state, alerts[0]?.reminder], ['firing', 0])
          const ends = alerts.filter((alert) => alert.state === 'recovered')
          assert.ok(ends.length <= 1 && (ends.length === 0 || alerts.at(-1) === ends[0]))
          const firing = alerts.filter((alert) => alert.state === 'firing')
          firing.slice(1).forEach((alert, i) => {
            assert.equal(alert.reminder, i + 1)
            assert.ok(alert.at - (firing[i]?.at ?? 0) >= day)
          })
        }
      }),
    )
  })

  test('a clock that jumps about throws nothing, and what is absent for long enough is forgotten', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const engine = new Engine()
        for (const { passes, what, key, kind, forMs } of steps) {
          engine.now += passes
          const condition = aCondition({ key, kind })
          if (what === 'present') engine.see({ what, condition })
          else if (what === 'happened') engine.see({ what, condition, forMs })
          else if (what === 'absent') engine.see({ what, key })
        }
        engine.see({ what: 'absent', key: 'a' }, { what: 'absent', key: 'b' })
        engine.wait(60 * day)
        assert.deepEqual(engine.state, {})
      }),
    )
  })
})
