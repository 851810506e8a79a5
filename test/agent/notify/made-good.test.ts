import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordedOperation } from '../../../src/agent/journal/recorded-operation.ts'
import { observeMadeGood } from '../../../src/agent/notify/made-good.ts'
import { anAlert } from './support/alerts.ts'

const alert = (key: string, operation: string) =>
  anAlert({ key, kind: 'failure', database: 'app', details: { operation, operationId: '5' } })

const done = (part: Partial<RecordedOperation>): RecordedOperation => ({
  id: '6',
  kind: 'backup',
  type: 'full',
  database: 'app',
  repository: 'file:///r',
  trigger: 'manual',
  startedAt: 1,
  endedAt: 2,
  outcome: 'succeeded',
  rebuilt: false,
  ...part,
})

const changes = alert('failure/backup/app/changes', 'backup')
const verify = alert('failure/verify/app/data', 'verify')
const isOver = (alert: typeof changes, part: Partial<RecordedOperation>) =>
  observeMadeGood([alert], [done({ ...part, outcome: part.outcome ?? 'succeeded' })]).length === 1

describe('a failure', () => {
  it('is over when somebody did the same, or more, after it, and that went well', () => {
    assert.ok(isOver(changes, { type: 'full' }))
    assert.ok(isOver(changes, { type: 'incremental', outcome: 'warning', trigger: 'library' }))
    assert.ok(isOver(verify, { kind: 'verify', type: 'data' }))
    assert.ok(isOver(verify, { kind: 'verify', type: 'data', database: undefined }), 'of all databases')
    assert.ok(isOver(alert('failure/expire/app/', 'expire'), { kind: 'expire', type: undefined }))
  })

  it('goes on when it was done before, of another database, or less of it; or failed, or is not done yet', () => {
    for (const part of [
      { id: '4' },
      { database: 'other' },
      { kind: 'verify', type: 'full' },
      { outcome: 'failed' },
      { outcome: 'interrupted' },
      { outcome: 'running', endedAt: undefined },
    ] as const)
      assert.ok(!isOver(changes, part), JSON.stringify(part))
    assert.ok(!isOver(alert('failure/backup/app/full', 'backup'), { type: 'incremental' }))
    assert.ok(!isOver(verify, { kind: 'verify', type: 'metadata' }))
  })

  it('goes on where the name is that of another database: it was that one that somebody backed up', () => {
    const details = { operation: 'backup', operationId: '5', code: 'NAME_TAKEN' }
    assert.ok(!isOver({ ...changes, details }, { type: 'full' }))
  })

  it('of following, of a mirror and of the configuration goes by other signs', () => {
    assert.ok(!isOver(alert('failure/follow/app/', 'follow'), { kind: 'follow', type: undefined }))
    assert.ok(!isOver(alert('failure/mirror/app/', 'mirror'), { kind: 'mirror', type: undefined }))
    assert.ok(!isOver(anAlert({ key: 'failure/config', details: {} }), {}))
  })
})
