import type { Alert, Condition } from '../../../../src/agent/notify/alert.ts'
import { advance, type Observation } from '../../../../src/agent/notify/engine/advance.ts'
import { type AlertSettings, defaultAlertSettings } from '../../../../src/agent/notify/engine/alert-settings.ts'
import { type AlertState, alertState } from '../../../../src/agent/notify/engine/alert-state.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

export const start = Date.parse('2026-03-01T00:00:00Z')

/** The engine with a clock of its own. What it knows goes through JSON each time, as over a restart. */
export class Engine {
  now = start
  #state: AlertState = {}
  readonly #settings: AlertSettings

  constructor(settings: AlertSettings = defaultAlertSettings) {
    this.#settings = settings
  }

  get state(): AlertState {
    return this.#state
  }

  set state(state: AlertState) {
    this.#state = alertState.parse(state)
  }

  see(...observations: readonly Observation[]): readonly Alert[] {
    const { state, alerts } = advance(this.#state, observations, this.now, this.#settings)
    this.#state = alertState.parse(JSON.parse(JSON.stringify(state)))
    return alerts
  }

  /** Goes on for so long, looking whenever the engine asks for it. */
  wait(milliseconds: number): readonly Alert[] {
    const end = this.now + milliseconds
    const alerts: Alert[] = []
    for (;;) {
      const next = advance(this.#state, [], this.now, this.#settings)
      this.#state = next.state
      alerts.push(...next.alerts)
      if (next.nextAt === undefined || next.nextAt > end) break
      this.now = Math.max(next.nextAt, this.now + 1)
    }
    this.now = end
    return alerts
  }
}

export function aCondition(changes: Partial<Condition> = {}): Condition {
  return {
    key: 'failure/backup/app/changes',
    kind: 'failure',
    severity: 'critical',
    database: 'app',
    summary: 'The incremental backup of app failed: The disk is full.',
    details: { operation: 'backup' },
    ...changes,
  }
}

export function anAlert(changes: Partial<Alert> = {}): Alert {
  return {
    ...aCondition(),
    state: 'firing',
    incident: 'failure/backup/app/changes@2026-03-01T00:00:00.000Z',
    at: start,
    since: start,
    reminder: 0,
    times: 1,
    ...changes,
  }
}

/** What was told, in short: `firing overdue`, `recovered overdue`, `reminder 1 overdue`. */
export function told(alerts: readonly Alert[]): string[] {
  return alerts.map(({ state, kind, reminder }) => {
    if (state === 'firing' && reminder > 0) return `reminder ${reminder} ${kind}`
    return `${state} ${kind}`
  })
}
