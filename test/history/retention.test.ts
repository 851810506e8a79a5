import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  calendarBuckets,
  decideRetention,
  defaultRetention,
  type KeepReason,
  type RetentionBackup,
  type RetentionPolicy,
  simulateRetention,
  toLsn,
} from '../../src/history/index.ts'

const day = 86_400_000
const hour = 3_600_000
const now = Date.UTC(2026, 2, 15, 12)

function backup(id: string, time: number | string, more: Partial<RetentionBackup> = {}): RetentionBackup {
  const at = typeof time === 'string' ? Date.parse(time) : time
  return { id, lsn: toLsn(Math.round(at / 1000)), time: at, pinned: false, verified: false, health: 'sound', ...more }
}

const kept = (backups: readonly RetentionBackup[], policy: RetentionPolicy, at = now) =>
  decideRetention(backups, policy, at).keep.map(({ backup: { id } }) => id)

function reasonsOf(backups: readonly RetentionBackup[], policy: RetentionPolicy, id: string, at = now): KeepReason[] {
  return [...(decideRetention(backups, policy, at).keep.find((entry) => entry.backup.id === id)?.reasons ?? [])]
}

const daily = (count: number, until = now) => Array.from({ length: count }, (_, i) => backup(`d${i}`, until - i * day))

describe('a retention policy', () => {
  it('keeps the newest N, and says why each is kept and each is let go', () => {
    const { keep, drop } = decideRetention(daily(4), { last: 2 }, now)
    assert.deepEqual(
      keep.map(({ backup: { id }, reasons }) => [id, reasons.map(({ rule }) => rule)]),
      [
        ['d1', ['last']],
        ['d0', ['newest', 'newest-sound', 'last']],
      ],
    )
    assert.deepEqual(
      drop.map(({ backup: { id }, rule }) => [id, rule]),
      [
        ['d3', 'no-rule'],
        ['d2', 'no-rule'],
      ],
    )
  })

  it('keeps the newest of each day, and skips days without a backup', () => {
    const backups = ['15T01', '15T09', '14T23', '11T05', '11T04', '02T00'].map((at) => {
      return backup(at, `2026-03-${at}:00:00Z`)
    })
    assert.deepEqual(kept(backups, { daily: 3 }), ['11T05', '14T23', '15T09'])
    assert.deepEqual(reasonsOf(backups, { daily: 3 }, '11T05'), [{ rule: 'daily', bucket: '2026-03-11' }])
  })

  it('has weeks of ISO 8601, which belong to the year of their Thursday', () => {
    const names = ['2024-12-29', '2024-12-30', '2025-01-01', '2025-01-05', '2025-01-06', '2026-12-31', '2027-01-03']
    const backups = names.map((date) => backup(date, `${date}T12:00:00Z`))
    const reasons = names.flatMap((date) => reasonsOf(backups, { weekly: 99, last: 99 }, date, Date.UTC(2028, 0)))
    const weeks = reasons.flatMap((reason) => (reason.rule === 'weekly' ? [reason.bucket] : []))
    assert.deepEqual(weeks, ['2024-W52', '2025-W01', '2025-W02', '2026-W53'])
  })

  it('begins days where the clocks of its time zone do', () => {
    const backups = [backup('late', '2026-03-10T22:30:00Z'), backup('midnight', '2026-03-10T23:30:00Z')]
    assert.deepEqual(kept(backups, { daily: 5 }), ['midnight'])
    assert.deepEqual(kept(backups, { daily: 5, timeZone: 'Europe/Berlin' }), ['late', 'midnight'])
    assert.throws(() => kept(backups, { daily: 5, timeZone: 'Mars/Olympus' }), RangeError)
  })

  it('tells the two hours apart that an autumn night has under one name', () => {
    const backups = [backup('summer', '2025-10-26T00:30:00Z'), backup('winter', '2025-10-26T01:30:00Z')]
    const policy = { hourly: 5, timeZone: 'Europe/Berlin' }
    assert.deepEqual(kept(backups, policy), ['summer', 'winter'])
    assert.deepEqual(
      [...reasonsOf(backups, policy, 'summer'), ...reasonsOf(backups, policy, 'winter')].flatMap((reason) =>
        reason.rule === 'hourly' ? [reason.bucket] : [],
      ),
      ['2025-10-26T02+02:00', '2025-10-26T02+01:00'],
    )
  })

  it('keeps what is young enough, and what is pinned', () => {
    const backups = [
      backup('old', now - 9 * day, { pinned: true }),
      backup('a', now - 3 * day),
      backup('b', now - hour),
    ]
    assert.deepEqual(kept(backups, { within: 2 * day }), ['old', 'b'])
  })

  it('keeps a bucket by a sound backup where it has one, even if a damaged one is newer', () => {
    const backups = [
      backup('sound', '2026-03-10T03:00:00Z'),
      backup('damaged', '2026-03-10T04:00:00Z', { health: 'damaged' }),
      backup('newest', '2026-03-15T03:00:00Z'),
    ]
    assert.deepEqual(kept(backups, { daily: 9 }), ['sound', 'newest'])
  })

  it('never drops the newest, the newest of a sound database and the newest verified one', () => {
    const backups = [
      backup('verified', now - 9 * day, { verified: true }),
      backup('sound', now - 5 * day),
      backup('unchecked', now - 4 * day, { health: 'unchecked' }),
      backup('damaged', now - day, { health: 'damaged' }),
    ]
    assert.deepEqual(kept(backups, {}), ['verified', 'sound', 'damaged'])
    assert.deepEqual(kept(backups, { last: 4, maxBackups: 1 }), ['verified', 'sound', 'damaged'])
  })

  it('neither counts nor drops what is dated in the future', () => {
    const backups = [backup('future', now + 400 * day), backup('a', now - day), backup('b', now - 2 * day)]
    assert.deepEqual(kept(backups, { last: 1 }), ['a', 'future'])
    assert.deepEqual(reasonsOf(backups, { last: 3, yearly: 3 }, 'future'), [{ rule: 'in-the-future' }])
    assert.deepEqual(kept(backups, { last: 2, maxBackups: 2 }), ['b', 'a', 'future'])
  })

  it('has at most so many in the end, the oldest going first, and does not count the pinned ones', () => {
    const backups = [...daily(6), backup('pin', now - 90 * day, { pinned: true })]
    assert.deepEqual(kept(backups, { last: 6, maxBackups: 3 }), ['pin', 'd2', 'd1', 'd0'])
    assert.equal(decideRetention(daily(150), { last: 150 }, now).keep.length, 100)
  })

  it('does not let the many of a window push out the few that are kept for years', () => {
    const hourly = Array.from({ length: 168 }, (_, i) => backup(`h${i}`, now - i * hour))
    const yearly = [1, 2, 3].map((years) => backup(`y${years}`, now - years * 365 * day))
    const { keep } = decideRetention([...hourly, ...yearly], defaultRetention, now)
    assert.equal(keep.length, 100)
    assert.deepEqual(
      keep.slice(0, 3).map(({ backup: { id } }) => id),
      ['y3', 'y2', 'y1'],
    )
  })
})

const anyBackups = fc
  .array(
    fc.record({
      time: fc.integer({ min: now - 800 * day, max: now + 3 * day }),
      pinned: fc.boolean(),
      verified: fc.boolean(),
      health: fc.constantFrom('sound', 'unchecked', 'damaged'),
    }),
    { maxLength: 40 },
  )
  .map((list) => list.map((one, i): RetentionBackup => ({ ...one, id: `b${i}`, lsn: toLsn(i + 1) })))

const count = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined })
const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  within: fc.option(fc.integer({ min: 0, max: 90 * day }), { nil: undefined }),
  window: fc.option(fc.integer({ min: 0, max: 90 * day }), { nil: undefined }),
  maxBackups: count,
  timeZone: fc.constantFrom(undefined, 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns'),
})

describe('any policy over any backups', () => {
  it('decides on each exactly once, keeps the floor, and is at rest when applied again', () => {
    fc.assert(
      fc.property(anyBackups, anyPolicy, (backups, policy) => {
        const { keep, drop } = decideRetention(backups, policy, now)
        const ids = [...keep, ...drop].map(({ backup: { id } }) => id)
        assert.deepEqual(ids.toSorted(), backups.map(({ id }) => id).toSorted())
        for (const { reasons } of keep) assert.ok(reasons.length > 0)
        for (const { backup: dropped } of drop) assert.ok(!dropped.pinned && dropped.time <= now)
        const past = backups.filter(({ time }) => time <= now)
        const newest = past.reduce<RetentionBackup | undefined>((a, b) => (a && a.lsn > b.lsn ? a : b), undefined)
        if (newest !== undefined) assert.ok(keep.some((entry) => entry.backup === newest))
        if (past.some(({ verified }) => verified)) assert.ok(keep.some((entry) => entry.backup.verified))
        const again = decideRetention(
          keep.map((entry) => entry.backup),
          policy,
          now,
        )
        assert.deepEqual(again.drop, [])
      }),
    )
  })

  it('keeps in each of the newest N non-empty buckets one, as a plain count says', () => {
    fc.assert(
      fc.property(anyBackups, fc.constantFrom(...calendarBuckets), fc.integer({ min: 0, max: 9 }), (list, rule, n) => {
        const backups = list.map((one) => ({ ...one, pinned: false, health: 'sound' as const, verified: false }))
        const { keep } = decideRetention(backups, { [rule]: n, maxBackups: 1000 }, now)
        const width = { hourly: 13, daily: 10, monthly: 7, yearly: 4, weekly: 0 }[rule]
        const past = backups.filter(({ time }) => time <= now)
        const monday = (time: number) => Math.floor((time / day + 3) / 7)
        const nameOf = (time: number) =>
          rule === 'weekly' ? monday(time) : new Date(time).toISOString().slice(0, width)
        const buckets = new Set(past.toSorted((a, b) => b.time - a.time).map(({ time }) => nameOf(time)))
        const wanted = [...buckets].slice(0, n)
        const found = keep.flatMap(({ backup: { time }, reasons }) =>
          reasons.some((reason) => reason.rule === rule) ? [nameOf(time)] : [],
        )
        assert.deepEqual(new Set(found), new Set(wanted))
        assert.equal(found.length, wanted.length)
      }),
    )
  })
})

describe('simulating a policy', () => {
  it('shows what the default leaves of two years of daily backups', () => {
    const { made, keep } = simulateRetention({ ...defaultRetention, window: undefined }, { now })
    assert.equal(made, 730)
    const by = (rule: KeepReason['rule']) => keep.filter(({ reasons }) => reasons.some((r) => r.rule === rule)).length
    assert.deepEqual([by('daily'), by('weekly'), by('monthly'), by('yearly')], [7, 4, 12, 3])
    assert.ok(keep.length >= 20 && keep.length <= 26, String(keep.length))
    assert.equal(keep.at(-1)?.backup.time, now)
  })

  it('lets nothing come back that was dropped on the way', () => {
    const { keep } = simulateRetention({ last: 3, maxBackups: 2 }, { now, every: 'weekly', years: 1 })
    assert.deepEqual(
      keep.map(({ backup: { time } }) => (now - time) / day),
      [7, 0],
    )
  })
})
