/** Every metric that there is: what the class is made from, and what dashboards and alert rules are checked against. */
export interface MetricDefinition {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds, for a histogram. */
  readonly buckets?: readonly number[]
}

const time = 'in seconds since 1970'

export const databaseGauges = {
  lastSuccess: {
    name: 'holdfast_last_success_timestamp_seconds',
    type: 'gauge',
    help: `When an operation on the database last succeeded, ${time}.`,
    labels: ['database', 'operation'],
  },
  lastVerified: {
    name: 'holdfast_last_verified_timestamp_seconds',
    type: 'gauge',
    help: `When what the repository holds of the database was last verified and found sound, ${time}.`,
    labels: ['database'],
  },
  newestState: {
    name: 'holdfast_newest_state_timestamp_seconds',
    type: 'gauge',
    help: `When the newest state in the repository, of a backup or a commit, was current, ${time}.`,
    labels: ['database'],
  },
  windowStart: {
    name: 'holdfast_restorable_window_start_timestamp_seconds',
    type: 'gauge',
    help: `Beginning of the newest window of which every commit can be restored, ${time}.`,
    labels: ['database'],
  },
  windowEnd: {
    name: 'holdfast_restorable_window_end_timestamp_seconds',
    type: 'gauge',
    help: `End of the newest window of which every commit can be restored, ${time}.`,
    labels: ['database'],
  },
  lag: {
    name: 'holdfast_replication_lag_seconds',
    type: 'gauge',
    help: 'How long the oldest commit that is not in the repository has waited; 0 if there is none.',
    labels: ['database'],
  },
  durableLsn: {
    name: 'holdfast_durable_lsn',
    type: 'gauge',
    help: 'Number of the newest state that is in the repository.',
    labels: ['database'],
  },
  walBytes: {
    name: 'holdfast_wal_bytes',
    type: 'gauge',
    help: "Size of the database's write-ahead log.",
    labels: ['database'],
  },
  spoolBytes: {
    name: 'holdfast_spool_bytes',
    type: 'gauge',
    help: 'Bytes that wait on this machine for the repository.',
    labels: ['database'],
  },
  spoolSegments: {
    name: 'holdfast_spool_segments',
    type: 'gauge',
    help: 'Segments that wait on this machine for the repository.',
    labels: ['database'],
  },
  lastGap: {
    name: 'holdfast_last_gap_timestamp_seconds',
    type: 'gauge',
    help: `When it was last noticed that commits were missed, ${time}.`,
    labels: ['database'],
  },
  nextDue: {
    name: 'holdfast_schedule_next_due_timestamp_seconds',
    type: 'gauge',
    help: `When the schedule is due next, ${time}.`,
    labels: ['database', 'schedule'],
  },
} as const satisfies Record<string, MetricDefinition>

export const databaseCounters = {
  commits: {
    name: 'holdfast_commits_captured_total',
    type: 'counter',
    help: 'Commits taken from the logs of followed databases.',
    labels: ['database'],
  },
  capturedBytes: {
    name: 'holdfast_captured_bytes_total',
    type: 'counter',
    help: 'Bytes of the pages that those commits changed, each as often as it was.',
    labels: ['database'],
  },
  uploads: {
    name: 'holdfast_uploads_total',
    type: 'counter',
    help: 'Segments of followed databases that were put into the repository.',
    labels: ['database'],
  },
  uploadedBytes: {
    name: 'holdfast_uploaded_bytes_total',
    type: 'counter',
    help: 'Bytes of segments of followed databases that were put into the repository.',
    labels: ['database'],
  },
  gaps: {
    name: 'holdfast_gaps_total',
    type: 'counter',
    help: 'Stretches of which commits were missed.',
    labels: ['database'],
  },
} as const satisfies Record<string, MetricDefinition>

/** Without a label for the database: there may be thousands. */
export const agentMetrics = {
  buildInfo: {
    name: 'holdfast_build_info',
    type: 'gauge',
    help: 'Always 1; the version is in the labels.',
    labels: ['version', 'node'],
  },
  databases: {
    name: 'holdfast_databases',
    type: 'gauge',
    help: 'Databases that this agent looks after.',
    labels: [],
  },
  workersReplaced: {
    name: 'holdfast_workers_replaced_total',
    type: 'counter',
    help: 'Workers that had not answered for a long time, and were ended and replaced.',
    labels: [],
  },
  mirrorComplete: {
    name: 'holdfast_mirror_last_success_timestamp_seconds',
    type: 'gauge',
    help: `When the mirror was last brought up to date with all of the repository, ${time}.`,
    labels: ['mirror'],
  },
  operations: {
    name: 'holdfast_operations_total',
    type: 'counter',
    help: 'Operations that ended, by how.',
    labels: ['operation', 'outcome'],
  },
  failures: {
    name: 'holdfast_failures_total',
    type: 'counter',
    help: 'Operations that failed, by the code of the error; DRILL_FAILED and VERIFY_FAILED where there was none, but a bad verdict.',
    labels: ['operation', 'code'],
  },
  lastFailure: {
    name: 'holdfast_last_failure_timestamp_seconds',
    type: 'gauge',
    help: `When such an operation last failed, ${time}.`,
    labels: ['operation'],
  },
  operationSeconds: {
    name: 'holdfast_operation_duration_seconds',
    type: 'histogram',
    help: 'How long operations took.',
    labels: ['operation'],
    buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400],
  },
  lockHeld: {
    name: 'holdfast_write_lock_held_seconds',
    type: 'histogram',
    help: 'How long writers had to wait for the hand-off of a log.',
    labels: [],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  },
  notifications: {
    name: 'holdfast_notifications_total',
    type: 'counter',
    help: 'Attempts to send a notification, by how they ended: sent, retrying or failed.',
    labels: ['channel', 'result'],
  },
  lastFailedNotification: {
    name: 'holdfast_last_failed_notification_timestamp_seconds',
    type: 'gauge',
    help: `When a notification was last given up, ${time}.`,
    labels: ['channel'],
  },
  alerts: {
    name: 'holdfast_alerts_firing',
    type: 'gauge',
    help: 'Alerts that are on now.',
    labels: ['kind', 'severity'],
  },
} as const satisfies Record<string, MetricDefinition>

export const processMetrics = {
  cpuSeconds: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the agent itself, without its workers, in seconds.',
    labels: [],
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the agent itself, without its workers.',
    labels: [],
  },
  startTime: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: `When the agent started, ${time}.`,
    labels: [],
  },
  openFiles: {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'File descriptors that the agent itself has open. Only on Linux.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>

export const metricDefinitions: readonly MetricDefinition[] = [
  ...Object.values(databaseGauges),
  ...Object.values(databaseCounters),
  ...Object.values(agentMetrics),
  ...Object.values(processMetrics),
]
