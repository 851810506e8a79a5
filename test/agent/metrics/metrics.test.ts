import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Operation } from '../../../src/agent/journal/operation.ts'
import { metricDefinitions } from '../../../src/agent/metrics/metric-definitions.ts'
import { Metrics } from '../../../src/agent/metrics/metrics.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { version } from '../../../src/util/version.ts'
import { anAlert } from '../notify/support/alerts.ts'

const operation: Operation = {
  id: '1',
  kind: 'backup',
  database: 'app',
  repository: 'x',
  trigger: 'schedule',
  outcome: 'succeeded',
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_002_500,
}

async function lines(metrics: Metrics, prefix: string): Promise<string[]> {
  const { body } = await metrics.render()
  return body.split('\n').filter((line) => line.startsWith(prefix))
}

describe('metrics', () => {
  test('tell of operations', async () => {
    const metrics = new Metrics()
    metrics.operationEnded(operation)
    metrics.operationEnded({ ...operation, outcome: 'failed', code: 'DISK_FULL', endedAt: 1_700_000_900_000 })
    metrics.operationEnded({ ...operation, kind: 'verify', outcome: 'failed', code: 'made up\n{}' })
    metrics.operationEnded({ ...operation, kind: 'drill', endedAt: 1_700_000_050_000 })
    const inVain = { ...operation, outcome: 'failed', endedAt: 1_700_000_900_000 } as const
    metrics.operationEnded({ ...inVain, kind: 'drill' })
    metrics.operationEnded({ ...inVain, kind: 'drill', code: 'PROOF_FAILED' })
    metrics.operationEnded({ ...inVain, kind: 'verify' })
    assert.deepEqual(await lines(metrics, 'holdfast_operations_total'), [
      'holdfast_operations_total{operation="backup",outcome="succeeded"} 1',
      'holdfast_operations_total{operation="backup",outcome="failed"} 1',
      'holdfast_operations_total{operation="verify",outcome="failed"} 2',
      'holdfast_operations_total{operation="drill",outcome="succeeded"} 1',
      'holdfast_operations_total{operation="drill",outcome="failed"} 2',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_failures_total'), [
      'holdfast_failures_total{operation="backup",code="DISK_FULL"} 1',
      'holdfast_failures_total{operation="verify",code="INTERNAL"} 1',
      'holdfast_failures_total{operation="drill",code="DRILL_FAILED"} 1',
      'holdfast_failures_total{operation="drill",code="PROOF_FAILED"} 1',
      'holdfast_failures_total{operation="verify",code="VERIFY_FAILED"} 1',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_last_success'), [
      'holdfast_last_success_timestamp_seconds{database="app",operation="backup"} 1700000002.5',
      'holdfast_last_success_timestamp_seconds{database="app",operation="drill"} 1700000050',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_last_failure'), [
      'holdfast_last_failure_timestamp_seconds{operation="backup"} 1700000900',
      'holdfast_last_failure_timestamp_seconds{operation="verify"} 1700000900',
      'holdfast_last_failure_timestamp_seconds{operation="drill"} 1700000900',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_last_verified'), [
      'holdfast_last_verified_timestamp_seconds{database="app"} 1700000050',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_operation_duration_seconds_count{operation="backup"}'), [
      'holdfast_operation_duration_seconds_count{operation="backup"} 2',
    ])
  })

  test('tell of what is followed', async () => {
    const metrics = new Metrics()
    metrics.setFollowed('app', { lagMs: 1500, durableLsn: 42, walBytes: 4096, spoolBytes: 100, spoolSegments: 2 })
    metrics.setWindow('app', { fromTime: 1_000_000, toTime: 2_000_500 })
    metrics.setNewestState('app', 3_000_000)
    metrics.captured('app', { kind: 'commits', count: 7, bytes: 4096, lsn: toLsn(42), time: 0 }, 5_000)
    metrics.captured('app', { kind: 'commits', count: 3, bytes: 1, lsn: toLsn(45), time: 0 }, 5_000)
    metrics.captured('app', { kind: 'uploaded', segment: 'x', lsn: toLsn(45), bytes: 512, lagMs: 0 }, 5_000)
    metrics.captured(
      'app',
      { kind: 'handed-off', complete: true, lockHeldMs: 4, framesBefore: 9, framesLeft: 0 },
      5_000,
    )
    const reason = gapReasons['log-reset']
    metrics.captured('app', { kind: 'gap', fromLsn: toLsn(1), toLsn: toLsn(2), fromTime: 0, toTime: 1, reason }, 5_000)
    for (const line of [
      'holdfast_replication_lag_seconds{database="app"} 1.5',
      'holdfast_durable_lsn{database="app"} 42',
      'holdfast_wal_bytes{database="app"} 4096',
      'holdfast_spool_bytes{database="app"} 100',
      'holdfast_spool_segments{database="app"} 2',
      'holdfast_restorable_window_start_timestamp_seconds{database="app"} 1000',
      'holdfast_restorable_window_end_timestamp_seconds{database="app"} 2000.5',
      'holdfast_newest_state_timestamp_seconds{database="app"} 3000',
      'holdfast_commits_captured_total{database="app"} 10',
      'holdfast_captured_bytes_total{database="app"} 4097',
      'holdfast_uploads_total{database="app"} 1',
      'holdfast_uploaded_bytes_total{database="app"} 512',
      'holdfast_write_lock_held_seconds_bucket{le="0.0025"} 0',
      'holdfast_write_lock_held_seconds_bucket{le="0.005"} 1',
      'holdfast_gaps_total{database="app"} 1',
      'holdfast_last_gap_timestamp_seconds{database="app"} 5',
    ])
      assert.deepEqual(await lines(metrics, line), [line])
    metrics.setFollowed('app', undefined)
    metrics.setWindow('app', undefined)
    assert.deepEqual(await lines(metrics, 'holdfast_replication_lag_seconds{'), [])
    assert.deepEqual(await lines(metrics, 'holdfast_restorable_window_start_timestamp_seconds{'), [])
    assert.equal((await lines(metrics, 'holdfast_commits_captured_total{')).length, 1)
  })

  test('begin counting at nothing, so that the first event is an increase', async () => {
    const metrics = new Metrics({ databaseLimit: 1 })
    const figures = { lagMs: 0, durableLsn: 1, spoolBytes: 0, spoolSegments: 0 }
    metrics.setFollowed('app', figures)
    metrics.setFollowed('beyond the limit', figures)
    metrics.setChannels(['ops'])
    const zeros = [
      'holdfast_gaps_total{database="app"} 0',
      'holdfast_gaps_total{database="(others)"} 0',
      'holdfast_uploads_total{database="app"} 0',
      'holdfast_notifications_total{channel="ops",result="sent"} 0',
      'holdfast_notifications_total{channel="ops",result="retrying"} 0',
      'holdfast_notifications_total{channel="ops",result="failed"} 0',
    ]
    for (const zero of zeros) assert.deepEqual(await lines(metrics, zero), [zero])
    const gap = { kind: 'gap', fromLsn: toLsn(1), toLsn: toLsn(2), fromTime: 0, toTime: 1 } as const
    metrics.captured('app', { ...gap, reason: gapReasons['log-reset'] }, 5_000)
    metrics.setFollowed('app', figures)
    assert.deepEqual(await lines(metrics, 'holdfast_gaps_total{database="app"}'), [
      'holdfast_gaps_total{database="app"} 1',
    ])
  })

  test('count no gap where nothing was to be kept, and tell of those of databases beyond the limit together', async () => {
    const metrics = new Metrics({ databaseLimit: 1 })
    const gap = { kind: 'gap', fromLsn: toLsn(1), toLsn: toLsn(2), fromTime: 0, toTime: 1 } as const
    metrics.captured('app', { ...gap, reason: gapReasons['not-followed'] }, 5_000)
    assert.deepEqual(await lines(metrics, 'holdfast_gaps_total{'), [])
    assert.deepEqual(await lines(metrics, 'holdfast_last_gap_timestamp_seconds{'), [])
    metrics.setNewestState('app', 1_000)
    metrics.captured('beyond', { ...gap, reason: gapReasons['log-reset'] }, 6_000)
    assert.deepEqual(await lines(metrics, 'holdfast_last_gap_timestamp_seconds{'), [
      'holdfast_last_gap_timestamp_seconds{database="(others)"} 6',
    ])
  })

  test('tell of alerts, notifications and schedules', async () => {
    const metrics = new Metrics()
    metrics.setAlerts([anAlert(), anAlert({ key: 'b' }), anAlert({ kind: 'lag', severity: 'warning' })])
    assert.deepEqual(await lines(metrics, 'holdfast_alerts_firing{'), [
      'holdfast_alerts_firing{kind="failure",severity="critical"} 2',
      'holdfast_alerts_firing{kind="lag",severity="warning"} 1',
    ])
    metrics.setAlerts([])
    assert.deepEqual(await lines(metrics, 'holdfast_alerts_firing{'), [])
    metrics.delivered({ channel: 'ops', result: 'sent', at: 0 })
    metrics.delivered({ channel: 'ops', result: 'failed', at: 7_000, problem: 'x' })
    assert.deepEqual(await lines(metrics, 'holdfast_last_failed_notification_timestamp_seconds{'), [
      'holdfast_last_failed_notification_timestamp_seconds{channel="ops"} 7',
    ])
    assert.deepEqual(await lines(metrics, 'holdfast_notifications_total{'), [
      'holdfast_notifications_total{channel="ops",result="sent"} 1',
      'holdfast_notifications_total{channel="ops",result="failed"} 1',
    ])
    metrics.setNextDue('app', 'daily', 5000)
    metrics.setNextDue('app', 'weekly', 6000)
    metrics.setNextDue('app', 'daily', undefined)
    assert.deepEqual(await lines(metrics, 'holdfast_schedule_next_due_timestamp_seconds{'), [
      'holdfast_schedule_next_due_timestamp_seconds{database="app",schedule="weekly"} 6',
    ])
  })

  test('tell of the agent itself', async () => {
    const metrics = new Metrics()
    const { body, contentType } = await metrics.render()
    assert.match(contentType, /^text\/plain; version=0\.0\.4/)
    assert.ok(body.includes(`holdfast_build_info{version="${version}",node="${process.versions.node}"} 1\n`))
    assert.match(body, /^process_cpu_seconds_total [\d.]+$/m)
    assert.match(body, /^process_resident_memory_bytes \d{7,}$/m)
    if (process.platform === 'linux') assert.match(body, /^process_open_fds \d+$/m)
    const started = Number(/^process_start_time_seconds ([\d.]+)$/m.exec(body)?.[1])
    assert.ok(started <= Date.now() / 1000 && started > Date.now() / 1000 - 3600)
  })

  test('of databases that are no longer looked after are gone', async () => {
    const metrics = new Metrics()
    for (const name of ['a', 'b']) {
      metrics.setNewestState(name, 1)
      metrics.setLastSuccess(name, 'backup', 1)
      metrics.captured(name, { kind: 'commits', count: 1, bytes: 1, lsn: toLsn(1), time: 0 }, 5_000)
    }
    metrics.setDatabases(['b'])
    const { body } = await metrics.render()
    assert.doesNotMatch(body, /"a"/)
    assert.equal(body.match(/"b"/g)?.length, 4)
    assert.match(body, /^holdfast_databases 1$/m)
  })

  test('stay bounded however many databases there are', async () => {
    const metrics = new Metrics({ databaseLimit: 10 })
    for (let i = 0; i < 1000; i += 1) {
      metrics.setNewestState(`db${i}`, i * 1000)
      metrics.captured(`db${i}`, { kind: 'commits', count: 1, bytes: 1, lsn: toLsn(1), time: 0 }, 5_000)
    }
    assert.equal((await lines(metrics, 'holdfast_newest_state_timestamp_seconds{')).length, 10)
    const commits = await lines(metrics, 'holdfast_commits_captured_total{')
    assert.equal(commits.length, 11)
    assert.equal(commits.at(-1), 'holdfast_commits_captured_total{database="(others)"} 990')
    metrics.setDatabases(['db999'])
    metrics.setNewestState('db999', 1000)
    assert.deepEqual(await lines(metrics, 'holdfast_newest_state_timestamp_seconds{'), [
      'holdfast_newest_state_timestamp_seconds{database="db999"} 1',
    ])
  })

  test('are named as Prometheus wants it, and described once', async () => {
    const { body } = await new Metrics().render()
    for (const { name, type, help, labels } of metricDefinitions) {
      assert.match(name, /^(holdfast|process)_[a-z0-9_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      assert.ok(help.endsWith('.'), help)
      assert.ok(labels.every((label) => /^[a-z_]+$/.test(label)))
      if (name !== 'process_open_fds' || process.platform === 'linux') {
        const escaped = help.replaceAll('\\', '\\\\')
        assert.equal(body.split(`# HELP ${name} ${escaped}\n`).length, 2, name)
        assert.equal(body.split(`# TYPE ${name} ${type}\n`).length, 2, name)
      }
    }
    const described = body.split('\n').filter((line) => line.startsWith('# TYPE '))
    const names = new Set(metricDefinitions.map(({ name }) => name))
    assert.deepEqual(
      described.filter((line) => !names.has(line.split(' ')[2] ?? '')),
      [],
    )
  })
})
