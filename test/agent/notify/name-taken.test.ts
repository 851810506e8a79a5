import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../../src/agent/notify/alert.ts'
import { backupsAfter, namesTaken } from '../../../src/agent/notify/name-taken.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { follow } from '../expectations/support/agents-scene.ts'

function refusal(details: Alert['details'], database = 'app'): Alert {
  return {
    key: `failure/${database}`,
    kind: 'failure',
    severity: 'critical',
    database,
    summary: 'It failed.',
    details: { code: 'NAME_TAKEN', ...details },
    state: 'firing',
    incident: 'i',
    at: 0,
    since: 0,
    reminder: 0,
    times: 1,
  }
}

const backup = (schedule: string): Alert => refusal({ operation: 'backup', schedule })

describe('a name that is refused', () => {
  it('is one under which a backup or the following failed for that, and no other failure', () => {
    const alerts = [
      backup('full'),
      refusal({ operation: 'follow' }, 'followed'),
      refusal({ operation: 'expire' }, 'expired'),
      refusal({ operation: 'backup', code: 'DISK_FULL' }, 'full'),
    ]
    assert.deepEqual([...namesTaken(alerts).keys()], ['app', 'followed'])
  })
})

describe('what is backed up once the configuration says whose a name is', () => {
  const schedules = [
    parseScheduleSpec({ id: 'tidy', type: 'expire', every: 'daily' }),
    parseScheduleSpec({ id: 'changes', type: 'incremental', every: 'hourly' }),
    parseScheduleSpec({ id: 'named', type: 'snapshot', every: 'daily' }),
    parseScheduleSpec({ id: 'full', type: 'full', every: 'weekly' }),
  ]
  const unfollowed = { schedules, follow: undefined }
  const followed = { schedules, follow }

  it('is what was refused; a full backup does for all', () => {
    assert.deepEqual(backupsAfter([backup('changes'), backup('named')], unfollowed), ['changes', 'named'])
    assert.deepEqual(backupsAfter([backup('changes'), backup('full')], unfollowed), ['full'])
    assert.deepEqual(backupsAfter([backup('named')], followed), ['named'])
  })

  it('is else what the first schedule asks for, unless following keeps it safe', () => {
    for (const alert of [refusal({ operation: 'follow' }), backup('gone'), backup('tidy')]) {
      assert.deepEqual(backupsAfter([alert], unfollowed), ['changes'])
      assert.deepEqual(backupsAfter([alert], followed), [])
    }
    assert.deepEqual(backupsAfter([backup('gone')], { ...unfollowed, schedules: [] }), [])
  })
})
