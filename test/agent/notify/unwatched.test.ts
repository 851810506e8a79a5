import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../../src/agent/notify/alert.ts'
import { observeUnwatched } from '../../../src/agent/notify/unwatched.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { follow } from '../expectations/support/agents-scene.ts'
import { databaseConfig } from '../support/database-config.ts'
import { aCondition, anAlert, day, Engine } from './support/alerts.ts'

const schedules = [
  { id: 'nightly', type: 'incremental', every: 'daily' },
  { id: 'weekly', type: 'full', every: 'weekly' },
  { id: 'check', type: 'verify', every: 'daily' },
  { id: 'tidy', type: 'expire', every: 'daily' },
].map((each) => parseScheduleSpec(each as Parameters<typeof parseScheduleSpec>[0]))

const app = databaseConfig({ source: { kind: 'path', path: '/srv/app.db', name: 'app' }, schedules })
const failed = (operation: string, schedule: string, type?: string): Alert =>
  anAlert({ details: { operation, schedule, ...(type === undefined ? {} : { type }) } })

/** Why an alert is over; undefined if it is not. */
function whyOver(alert: Alert, config = app, away: readonly string[] = []): string | undefined {
  const over = observeUnwatched([alert], new Map([['app', config]]), new Set(away)).find(
    ({ what }) => what === 'dropped',
  )
  return over?.what === 'dropped' ? over.why : undefined
}

describe('an alert', () => {
  it('goes on while what it is of is in the configuration', () => {
    for (const alert of [
      failed('backup', 'nightly', 'incremental'),
      failed('backup', 'weekly', 'full'),
      failed('verify', 'check', app.verify.level),
      failed('expire', 'tidy'),
      anAlert({ kind: 'verify', key: 'verify/app', details: { damaged: 1 } }),
      anAlert({ kind: 'drill', key: 'drill/app', severity: 'critical', details: { schedule: 'gone' } }),
      anAlert({ database: undefined }),
      anAlert({ kind: 'overdue', key: 'overdue/other', database: 'other' }),
    ])
      assert.equal(whyOver(alert), undefined)
  })

  it('is over with the schedule that it is of', () => {
    for (const alert of [
      failed('backup', 'hourly', 'incremental'),
      failed('verify', 'weekly-check', 'data'),
      anAlert({ kind: 'drill', key: 'drill/app', severity: 'warning', details: { schedule: 'gone' } }),
    ])
      assert.match(whyOver(alert) ?? '', /^The schedule ".*" of app is not in the configuration any more\.$/)
  })

  it('is over where the schedule does something else now', () => {
    for (const alert of [
      failed('backup', 'nightly', 'full'),
      failed('backup', 'weekly', 'incremental'),
      failed('verify', 'check', 'restore'),
      failed('compact', 'tidy'),
    ])
      assert.match(whyOver(alert) ?? '', /^The schedule ".*" of app does something else now\.$/)
  })

  it('of following is over where the database is not followed any more', () => {
    for (const alert of [
      anAlert({ kind: 'lag', key: 'lag/app' }),
      anAlert({ kind: 'spool', key: 'spool/app' }),
      anAlert({ key: 'failure/follow/app/reading', details: { operation: 'follow' } }),
    ]) {
      assert.equal(whyOver(alert), 'app is no longer followed.')
      assert.equal(whyOver(alert, { ...app, follow }), undefined)
    }
  })

  it('that was not told yet is not told later of a database that is not followed any more', () => {
    const engine = new Engine()
    engine.see({ what: 'present', condition: aCondition({ kind: 'lag', key: 'lag/app' }) })
    engine.see(...observeUnwatched([], new Map([['app', app]]), new Set()))
    assert.deepEqual(engine.wait(day), [])
  })

  it('of a database is over with that, unless it is expected back', () => {
    const alert = anAlert({ kind: 'verify', key: 'verify/other', database: 'other' })
    assert.equal(whyOver(alert), 'other is no longer looked after.')
    assert.equal(whyOver(alert, app, ['other']), undefined)
  })
})
