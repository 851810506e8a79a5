import type { Alert } from './alert.ts'
import type { ChannelStatus } from './notifier.ts'

/** What `/healthz` and the status say. Times in ISO 8601. */
export interface HealthReport {
  /** `failing`: something critical is wrong. `warning`: something else is. */
  readonly status: 'ok' | 'warning' | 'failing'
  readonly problems: readonly HealthProblem[]
}

export interface HealthProblem {
  readonly key: string
  readonly severity: Alert['severity']
  readonly database: string | null
  readonly summary: string
  readonly since: string
}

/** @param saveProblem why what is known of alerts cannot be saved */
export function healthReport(
  firing: readonly Alert[],
  channels: readonly ChannelStatus[],
  saveProblem?: string | undefined,
): HealthReport {
  const problems: HealthProblem[] = firing.map(({ key, severity, database, summary, since }) => {
    return { key, severity, database: database ?? null, summary, since: new Date(since).toISOString() }
  })
  for (const { name, last } of channels) {
    if (last?.problem === undefined) continue
    const summary = `Notifications through ${name} do not get through: ${last.problem}`
    problems.push({
      key: `channel/${name}`,
      severity: 'warning',
      database: null,
      summary,
      since: new Date(last.at).toISOString(),
    })
  }
  if (saveProblem !== undefined) {
    const summary = `What is known of alerts cannot be saved: ${saveProblem}`
    problems.push({ key: 'alerts', severity: 'warning', database: null, summary, since: new Date(0).toISOString() })
  }
  const failing = problems.some(({ severity }) => severity === 'critical')
  return { status: failing ? 'failing' : problems.length > 0 ? 'warning' : 'ok', problems }
}
