import type { Alert, AlertTopic, Severity } from './alert.ts'

/** Which alerts a channel is told of; what is not given does not matter. */
export interface AlertFilter {
  /** The ends of alerts are told only with `recovery` among them; `recovery` alone stands for the ends of all alerts. */
  readonly topics?: readonly AlertTopic[] | undefined
  /** What is less severe is not told. */
  readonly severity?: Severity | undefined
  /** Only alerts about these. */
  readonly databases?: readonly string[] | undefined
}

export function wants({ topics, severity, databases }: AlertFilter, alert: Alert): boolean {
  if (severity === 'critical' && alert.severity !== 'critical') return false
  if (databases !== undefined && (alert.database === undefined || !databases.includes(alert.database))) return false
  if (topics === undefined) return true
  if (alert.state === 'firing') return topics.includes(alert.kind)
  return topics.includes('recovery') && (topics.includes(alert.kind) || topics.every((topic) => topic === 'recovery'))
}
