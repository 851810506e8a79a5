/** What is sent: one alert, many of them at once, or a trial. */
import { hostname } from 'node:os'
import { formatDuration } from '../../util/format-duration.ts'
import { formatTime } from '../../util/format-time.ts'
import { version } from '../../util/version.ts'
import { type Alert, lastedMs } from './alert.ts'
import { rank } from './delivery/worst-of.ts'

export type Message =
  | { readonly type: 'alert'; readonly alert: Alert }
  /** So many came up that they are told together. `dropped`: those that found no room among them. */
  | { readonly type: 'summary'; readonly alerts: readonly Alert[]; readonly dropped: number; readonly at: number }
  | { readonly type: 'test'; readonly at: number }

/** Who sends it. */
export interface Sender {
  readonly host: string
  /** Without credentials. */
  readonly repository?: string | undefined
}

export function thisSender(repository?: string): Sender {
  return { host: hostname(), ...(repository === undefined ? {} : { repository }) }
}

/** The body of a webhook and the standard input of a command; docs/alerts.md. Durations in milliseconds, times in ISO 8601. */
export interface MessageDocument {
  readonly version: 1
  readonly type: Message['type']
  readonly id: string
  readonly time: string
  /** One line for people. */
  readonly title: string
  /** All of it for people, in plain text. */
  readonly text: string
  readonly host: string
  readonly repository: string | null
  readonly holdfast: string
  readonly alerts: readonly AlertDocument[]
  readonly dropped: number
}

export interface AlertDocument {
  readonly state: Alert['state']
  readonly kind: Alert['kind']
  readonly severity: Alert['severity']
  readonly key: string
  readonly incident: string
  readonly database: string | null
  readonly summary: string
  readonly hint: string | null
  readonly since: string
  readonly durationMs: number
  readonly reminder: number
  readonly times: number
  readonly details: Alert['details']
}

/** @param id the same for each attempt to send the message */
export function messageDocument(message: Message, id: string, { host, repository }: Sender): MessageDocument {
  const alerts = alertsOf(message)
  return {
    version: 1,
    type: message.type,
    id,
    time: iso(timeOf(message)),
    title: messageTitle(message),
    text: messageText(message, { host, repository }),
    host,
    repository: repository ?? null,
    holdfast: version,
    alerts: alerts.map(alertDocument),
    dropped: message.type === 'summary' ? message.dropped : 0,
  }
}

export function alertsOf(message: Message): readonly Alert[] {
  switch (message.type) {
    case 'alert':
      return [message.alert]
    case 'summary':
      return message.alerts
    case 'test':
      return []
  }
}

function timeOf(message: Message): number {
  return message.type === 'alert' ? message.alert.at : message.at
}

function alertDocument(alert: Alert): AlertDocument {
  const { state, kind, severity, key, incident, database, summary, hint, since, reminder, times, details } = alert
  return {
    state,
    kind,
    severity,
    key,
    incident,
    database: database ?? null,
    summary,
    hint: hint ?? null,
    since: iso(since),
    durationMs: lastedMs(alert),
    reminder,
    times,
    details,
  }
}

/** One line without a line break: for subjects. */
export function messageTitle(message: Message): string {
  switch (message.type) {
    case 'test':
      return 'Test: Holdfast can reach you here.'
    case 'summary': {
      const firing = message.alerts.filter(({ state }) => state === 'firing').length
      const recovered = message.alerts.length - firing
      const parts = [
        ...(firing + message.dropped > 0 ? [`${firing + message.dropped} alerts`] : []),
        ...(recovered > 0 ? [`${recovered} recoveries`] : []),
      ]
      return `${parts.join(' and ')} at once.`
    }
    case 'alert':
      return alertLine(message.alert)
  }
}

function alertLine(alert: Alert): string {
  const summary = alert.summary.replace(/\s+/g, ' ')
  if (alert.state === 'recovered') return `Over after ${formatDuration(lastedMs(alert))}: ${summary}`
  const severity = alert.severity === 'critical' ? 'Critical' : 'Warning'
  const again = alert.reminder === 0 ? '' : ` (for ${formatDuration(lastedMs(alert))} now)`
  return `${severity}${again}: ${summary}`
}

/** Plain text for people, with line breaks. */
export function messageText(message: Message, { host, repository }: Sender): string {
  const where = [`Host: ${host}`, ...(repository === undefined ? [] : [`Repository: ${repository}`])]
  const lines =
    message.type === 'alert'
      ? [messageTitle(message), ...remarks(message.alert), '', ...alertFacts(message.alert), ...where]
      : message.type === 'summary'
        ? [messageTitle(message), '', ...summaryLines(message.alerts, message.dropped), '', ...where]
        : [messageTitle(message), 'Nothing is wrong: somebody ran "holdfast notify test".', '', ...where]
  return lines.join('\n')
}

function remarks({ hint, state, times, details: { warnings } }: Alert): string[] {
  if (state === 'recovered') return times > 1 ? [`It happened ${times} times.`] : []
  return [
    ...(times > 1 ? [`It has happened ${times} times.`] : []),
    ...(warnings === undefined ? [] : [`Besides: ${warnings}`]),
    ...(hint === undefined ? [] : [hint]),
  ]
}

function alertFacts({ database, since, state, at, key }: Alert): string[] {
  return [
    ...(database === undefined ? [] : [`Database: ${database}`]),
    `Since: ${formatTime(since)}`,
    ...(state === 'recovered' ? [`Until: ${formatTime(at)}`] : []),
    `Alert: ${key}`,
  ]
}

/** The worst first. */
function summaryLines(alerts: readonly Alert[], dropped: number): string[] {
  const lines = alerts.toSorted((a, b) => rank(a) - rank(b)).map((alert) => `- ${alertLine(alert)}`)
  return [...lines, ...(dropped === 0 ? [] : [`… and ${dropped} more.`])]
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
