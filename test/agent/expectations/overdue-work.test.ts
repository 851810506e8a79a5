import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ExpectedWork } from '../../../src/agent/expectations/expected-work.ts'
import { expectedWork } from '../../../src/agent/expectations/expected-work.ts'
import { overdueWork } from '../../../src/agent/expectations/overdue-work.ts'
import { ownRecord, saysTheSame } from '../../../src/agent/expectations/own-record.ts'
import type { Evidence } from '../../../src/agent/expectations/read-evidence.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { agentRecord } from '../../../src/repository/agent-record.ts'
import { databaseConfig } from '../support/database-config.ts'

const hour = 3_600_000
const day = 24 * hour
const start = Date.parse('2026-03-01T00:00:00Z')
const id = '0b9e4c1e-0000-4000-8000-000000000001'

const work = (part: Partial<ExpectedWork>): ExpectedWork => ({
  database: 'app',
  agent: id,
  host: 'db1',
  config: '/etc/holdfast.yaml',
  path: '/srv/app.db',
  since: start,
  isFollowed: false,
  overdueAfterMs: undefined,
  schedules: [],
  ...part,
})
const daily = (action: 'full' | 'verify' | 'drill') =>
  ({ id: action, action, trigger: { on: 'calendar', every: 'daily' } }) as const

const keys = (expected: ExpectedWork, evidence: Evidence, now: number) =>
  overdueWork(expected, evidence, now).map(({ key }) => key)

describe('what is overdue of what is expected', () => {
  it('is a backup when the run after the next was due some time ago, and says whose', () => {
    const expected = work({ schedules: [daily('full')] })
    assert.deepEqual(keys(expected, { newestStateAt: start + hour }, start + day + 5 * hour), [])
    const [late] = overdueWork(expected, { newestStateAt: start + hour }, start + 2 * day)
    assert.equal(late?.key, 'overdue/app')
    assert.match(late?.summary ?? '', /newest state of app .* agent on db1/)
    assert.match(late?.hint ?? '', /\/etc\/holdfast\.yaml.*agents forget 0b9e4c1e/)
    assert.deepEqual(keys(expected, { newestStateAt: start + 2 * day }, start + 2 * day + hour), [])
  })

  it('is the first backup, counted from when it was expected', () => {
    const expected = work({ overdueAfterMs: 2 * hour })
    assert.deepEqual(keys(expected, {}, start + hour), [])
    assert.match(overdueWork(expected, {}, start + 3 * hour)[0]?.summary ?? '', /no backup of app at all/)
  })

  it('is not what is dated in the future, and does not count as done either', () => {
    const expected = work({ overdueAfterMs: 2 * hour })
    assert.deepEqual(keys(expected, { newestStateAt: start + 9 * day }, start + 3 * hour), ['overdue/app'])
  })

  it('is following when nobody does it for longer than a restart takes', () => {
    const expected = work({ isFollowed: true, overdueAfterMs: hour })
    const now = start + day
    assert.deepEqual(keys(expected, { follower: { state: 'alive' }, newestStateAt: now }, now), [])
    const behind: Evidence = { follower: { state: 'alive' }, newestStateAt: now - 2 * hour }
    assert.match(overdueWork(expected, behind, now)[0]?.summary ?? '', /newest state of app .* agent on db1/)
    assert.deepEqual(keys(expected, { follower: { state: 'gone', since: now - 60_000 }, newestStateAt: now }, now), [])
    const gone: Evidence = { follower: { state: 'gone', since: now - hour }, newestStateAt: now - hour }
    assert.match(overdueWork(expected, gone, now)[0]?.summary ?? '', /^Nobody follows app any more/)
    assert.deepEqual(keys(expected, { follower: { state: 'gone' } }, start + 60_000), [])
  })

  it('is a verification or a drill, as a warning', () => {
    const expected = work({ schedules: [daily('verify'), daily('drill')] })
    const now = start + 3 * day
    assert.deepEqual(keys(expected, { verifiedAt: now - hour, drilledAt: now - hour }, now), [])
    const late = overdueWork(expected, { verifiedAt: now - hour }, now)
    assert.deepEqual(
      late.map(({ key, severity }) => [key, severity]),
      [['overdue/app/drill', 'warning']],
    )
  })
})

describe('what an agent says that is expected of it', () => {
  const owner = { id, host: 'db1', config: '/etc/holdfast.yaml' }
  const found = (name: string, every: string) => {
    const path = `/srv/${name}.db`
    const schedules = [parseScheduleSpec({ type: 'full', every })]
    return { name, path, config: databaseConfig({ source: { kind: 'path', path, name }, schedules }) }
  }
  const none = new Set<string>()

  it('is a document that reads back the same, one plan for all databases with the same settings', () => {
    const databases = [found('b', 'daily'), found('a', 'daily'), found('c', '6h')]
    const record = ownRecord(owner, databases, undefined, none, start)
    const read = agentRecord.parse(JSON.parse(JSON.stringify(record)))
    assert.deepEqual(
      read.plans.map((plan) => Object.keys(plan.databases)),
      [['a', 'b'], ['c']],
    )
    assert.ok(saysTheSame(ownRecord(owner, databases, read, none, start + hour), read), 'nothing has changed')
  })

  it('dates from when it was said first, and anew when it changes', () => {
    const first = ownRecord(owner, [found('a', 'daily'), found('b', 'daily')], undefined, none, start)
    const next = ownRecord(owner, [found('a', 'daily'), found('b', 'hourly')], first, none, start + hour)
    const expected = expectedWork([next], start + hour)
    assert.deepEqual([expected.get('a')?.since, expected.get('b')?.since], [start, start + hour])
  })

  it('keeps what was dropped a moment ago, and then no more', () => {
    const first = ownRecord(owner, [found('a', 'daily'), found('b', 'daily')], undefined, none, start)
    const lingering = ownRecord(owner, [found('a', 'daily')], first, new Set(['b']), start + hour)
    assert.deepEqual([...expectedWork([lingering], start + hour).keys()], ['a', 'b'])
    assert.equal(expectedWork([lingering], start + hour).get('b')?.since, start)
    assert.deepEqual(
      [...expectedWork([ownRecord(owner, [found('a', 'daily')], lingering, none, start)], start).keys()],
      ['a'],
    )
  })

  it('of an agent whose clock was ahead is expected all the same, and from its next record on since then', () => {
    const ahead = start + 9_000 * hour
    const wrong = ownRecord(owner, [found('a', 'daily')], undefined, none, ahead)
    assert.equal(expectedWork([wrong], start).get('a')?.since, 0)
    const right = ownRecord(owner, [found('a', 'daily')], wrong, none, start)
    assert.equal(expectedWork([right], start).get('a')?.since, start)
    const other = { ...owner, id: '0b9e4c1e-0000-4000-8000-000000000002', host: 'db2' }
    const moved = ownRecord(other, [found('a', 'weekly')], undefined, none, start)
    assert.equal(expectedWork([wrong, moved], start).get('a')?.host, 'db2')
  })

  it('of an agent whose clock is some minutes, or hours, ahead is not overdue before it could be done', () => {
    for (const ahead of [30_000, 2 * 60_000, 20 * hour]) {
      const since = start + ahead
      const record = ownRecord(owner, [found('a', 'daily')], undefined, none, since)
      const expected = expectedWork([record], start).get('a') ?? assert.fail()
      const asked = { ...expected, isFollowed: true, schedules: [...expected.schedules, daily('verify')] }
      const gone: Evidence = { follower: { state: 'gone' } }
      assert.deepEqual([keys(expected, {}, start), keys(asked, gone, start)], [[], []], `${ahead} ms ahead`)
      assert.deepEqual(keys(asked, gone, since + 3 * day), ['overdue/a', 'overdue/a/verify'])
    }
  })

  it('counts as the newest record says it, of a database that moved to another host', () => {
    const before = ownRecord(owner, [found('a', 'hourly')], undefined, none, start)
    const other = { ...owner, id: '0b9e4c1e-0000-4000-8000-000000000002', host: 'db2' }
    const after = ownRecord(other, [found('a', 'weekly')], undefined, none, start + hour)
    assert.equal(expectedWork([after, before], start + hour).get('a')?.host, 'db2')
  })
})
