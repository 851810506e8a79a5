import type { Operation } from '../../../src/agent/journal/operation.ts'
import { anAlert } from '../../agent/notify/support/alerts.ts'
import { type AgentLife, day, figures, gap, hour, minute } from './scraped-agent.ts'

export interface Expectation {
  /** At the end of which minute. */
  readonly at: number
  /** The alert that fires then, and no other; undefined if none does. */
  readonly firing?: string | undefined
  /** Its text, and its labels besides the severity. */
  readonly told?: { readonly summary: string; readonly labels: Readonly<Record<string, string>> } | undefined
}

const instance = { instance: 'db1:7420' }
const target = { ...instance, job: 'holdfast' }
const app = { ...target, database: 'app' }

const failed: Operation = {
  id: '1',
  kind: 'backup',
  database: 'app',
  repository: 'file:///backups',
  trigger: 'schedule',
  outcome: 'failed',
  code: 'DISK_FULL',
  startedAt: 0,
  endedAt: 0,
}

export interface AlertCase {
  /** Undefined: Prometheus knows of no agent. */
  readonly life: AgentLife | undefined
  readonly expected: readonly Expectation[]
}

const slowHandOff = { kind: 'handed-off', complete: true, lockHeldMs: 900, framesBefore: 9, framesLeft: 0 } as const

/** What is so from the first moment, and is told after half an hour at the latest. */
function lasting(firing: string, tell: AgentLife['tell'], told: Expectation['told']): readonly AlertCase[] {
  return [{ life: { minutes: 31, tell }, expected: [{ at: 0 }, { at: 30, firing, told }] }]
}

/** What goes wrong, by the alert that tells of it. */
export const alertCases: Readonly<Record<string, readonly AlertCase[]>> = {
  HoldfastAgentDown: [
    {
      life: { minutes: 40, answers: (at) => at < 10 || at >= 30 },
      expected: [
        { at: 9 },
        {
          at: 20,
          firing: 'HoldfastAgentDown',
          told: { summary: 'The agent of Holdfast on db1:7420 does not answer.', labels: target },
        },
        { at: 35 },
      ],
    },
  ],
  HoldfastAgentUnknown: [
    {
      life: undefined,
      expected: [
        {
          at: 10,
          firing: 'HoldfastAgentUnknown',
          told: { summary: 'Prometheus knows of no agent of Holdfast.', labels: { job: 'holdfast' } },
        },
      ],
    },
  ],
  HoldfastAlertFiring: [
    {
      life: {
        minutes: 60,
        tell: (metrics, at) => metrics.setAlerts(at < 20 ? [anAlert({ kind: 'failure', severity: 'critical' })] : []),
      },
      expected: [
        {
          at: 10,
          firing: 'HoldfastAlertFiring',
          told: {
            summary: 'Holdfast on db1:7420 tells of 1 critical alerts of the kind failure.',
            labels: { ...instance, kind: 'failure' },
          },
        },
        { at: 30 },
      ],
    },
  ],
  HoldfastStateOverdue: lasting('HoldfastStateOverdue', (metrics) => metrics.setNewestState('app', -26 * hour), {
    summary: 'The newest backup or commit of app is 1d 2h 30m 0s old.',
    labels: app,
  }),
  HoldfastBackupOverdue: lasting(
    'HoldfastBackupOverdue',
    (metrics) => metrics.setLastSuccess('app', 'backup', -8 * day),
    {
      summary: 'The last backup of app that succeeded is 8d 0h 30m 0s old.',
      labels: { ...app, operation: 'backup' },
    },
  ),
  HoldfastMirrorBehind: lasting('HoldfastMirrorBehind', (metrics) => metrics.setMirror('s3://copy', -26 * hour), {
    summary: 'The mirror s3://copy holds what the repository held 1d 2h 30m 0s ago.',
    labels: { ...target, mirror: 's3://copy' },
  }),
  HoldfastNotVerified: [
    {
      life: { minutes: 100, tell: (metrics) => metrics.setLastVerified('app', -35 * day) },
      expected: [
        { at: 50 },
        {
          at: 90,
          firing: 'HoldfastNotVerified',
          told: { summary: 'What is kept of app was not verified for 35d 1h 30m 0s.', labels: app },
        },
      ],
    },
  ],
  HoldfastLag: lasting('HoldfastLag', (metrics) => metrics.setFollowed('app', { ...figures, lagMs: 6 * minute }), {
    summary: 'Commits of app have waited for the repository for 6m 0s.',
    labels: app,
  }),
  HoldfastSpoolGrows: [
    {
      life: {
        minutes: 60,
        tell: (metrics, at) =>
          metrics.setFollowed('app', { ...figures, spoolBytes: 2 ** 30 + Math.min(at, 25) * 4096 }),
      },
      expected: [
        {
          at: 20,
          firing: 'HoldfastSpoolGrows',
          told: { summary: '1GiB of app wait for the repository, and it becomes more.', labels: app },
        },
        { at: 50 },
      ],
    },
  ],
  HoldfastGap: [
    {
      life: { minutes: 150, tell: (metrics, at, now) => at === 30 && metrics.captured('app', gap, now) },
      expected: [
        { at: 29 },
        { at: 31, firing: 'HoldfastGap', told: { summary: 'Commits of app were missed.', labels: app } },
        { at: 85, firing: 'HoldfastGap' },
        { at: 95 },
      ],
    },
    // Each time the agent starts, it finds a gap before anybody asks for its metrics.
    {
      life: {
        minutes: 400,
        restartsIn: [100, 200, 210],
        answers: (at) => ![99, 199, 209].includes(at),
        tell: (metrics, at, now) => [100, 200].includes(at) && metrics.captured('app', gap, now),
      },
      expected: [
        { at: 98 },
        { at: 101, firing: 'HoldfastGap' },
        { at: 155, firing: 'HoldfastGap' },
        { at: 165 },
        { at: 201, firing: 'HoldfastGap' },
        { at: 250, firing: 'HoldfastGap' },
        { at: 265 },
      ],
    },
  ],
  HoldfastOperationFails: [
    {
      life: {
        minutes: 150,
        tell: (metrics, at, now) => at === 30 && metrics.operationEnded({ ...failed, endedAt: now }),
      },
      expected: [
        { at: 29 },
        {
          at: 31,
          firing: 'HoldfastOperationFails',
          told: { summary: 'backup failed on db1:7420.', labels: { ...target, operation: 'backup' } },
        },
        { at: 85, firing: 'HoldfastOperationFails' },
        { at: 95 },
      ],
    },
  ],
  HoldfastNotificationsFail: [
    {
      life: {
        minutes: 150,
        tell: (metrics, at, now) => at === 30 && metrics.delivered({ channel: 'pager', result: 'failed', at: now }),
      },
      expected: [
        { at: 29 },
        {
          at: 31,
          firing: 'HoldfastNotificationsFail',
          told: { summary: 'Notifications through pager do not get through.', labels: { ...target, channel: 'pager' } },
        },
        { at: 95 },
      ],
    },
  ],
  HoldfastWritersWait: lasting('HoldfastWritersWait', (metrics, _, now) => metrics.captured('app', slowHandOff, now), {
    summary: 'On db1:7420, one in a hundred hand-offs holds writers up for more than 985ms.',
    labels: instance,
  }),
  HoldfastLogGrows: lasting(
    'HoldfastLogGrows',
    (metrics) => metrics.setFollowed('app', { ...figures, walBytes: 2 ** 31 }),
    {
      summary: 'The write-ahead log of app has 2GiB.',
      labels: app,
    },
  ),
  HoldfastScheduleLate: lasting('HoldfastScheduleLate', (metrics) => metrics.setNextDue('app', 'daily', -2 * hour), {
    summary: 'The run of daily for app is late by 2h 30m 0s.',
    labels: { ...app, schedule: 'daily' },
  }),
}
