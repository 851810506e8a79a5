import type { Alert } from './alert.ts'
import type { DeliveryRecord } from './delivery/delivery-record.ts'

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

/** Something through which the outside is told. */
interface Sending {
  readonly name: string
  readonly deliveries: DeliveryRecord
}

export interface Telling {
  readonly channels: readonly Sending[]
  readonly heartbeats?: readonly Sending[] | undefined
  /** Why what is known of alerts cannot be saved. */
  readonly saveProblem?: string | undefined
  /** What keeps operations from being recorded; since, in milliseconds since 1970. */
  readonly recording?: { readonly message: string; readonly since: number } | undefined
}

export function healthReport(
  firing: readonly Alert[],
  { channels, heartbeats = [], saveProblem, recording }: Telling,
): HealthReport {
  const problems: HealthProblem[] = firing.map(({ key, severity, database, summary, since }) => {
    return { key, severity, database: database ?? null, summary, since: new Date(since).toISOString() }
  })
  for (const { name, deliveries } of channels)
    problems.push(...unsent(`channel/${name}`, `Notifications through ${name} do not get through`, deliveries))
  for (const { name, deliveries } of heartbeats)
    problems.push(...unsent(`heartbeat/${name}`, `The heartbeat "${name}" does not get through`, deliveries))
  if (saveProblem !== undefined) {
    const summary = `What is known of alerts cannot be saved: ${saveProblem}`
    problems.push({ key: 'alerts', severity: 'warning', database: null, summary, since: new Date(0).toISOString() })
  }
  if (recording !== undefined) {
    const { message: summary, since } = recording
    problems.push({
      key: 'journal',
      severity: 'warning',
      database: null,
      summary,
      since: new Date(since).toISOString(),
    })
  }
  const failing = problems.some(({ severity }) => severity === 'critical')
  return { status: failing ? 'failing' : problems.length > 0 ? 'warning' : 'ok', problems }
}

function unsent(key: string, what: string, { last, failingSince }: DeliveryRecord): readonly HealthProblem[] {
  if (failingSince === undefined) return []
  const since = new Date(failingSince).toISOString()
  return [{ key, severity: 'warning', database: null, summary: `${what}: ${last?.problem ?? ''}`, since }]
}
