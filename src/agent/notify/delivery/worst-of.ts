import type { Alert } from '../alert.ts'

/** More than these in one message help nobody, and some receivers refuse it. */
export const mostTogether = 50

export interface Chosen {
  /** At most so many, in their order. */
  readonly told: readonly Alert[]
  /** What is only counted in the same message: it is on, and there will be reminders. */
  readonly counted: readonly Alert[]
}

/** What one message tells of many alerts. Ends that find no room are neither told nor counted: nobody would be reminded of them, so they wait. */
export function worstOf(alerts: readonly Alert[], most: number): Chosen {
  const told = new Set(alerts.toSorted((a, b) => rank(a) - rank(b)).slice(0, most))
  return {
    told: alerts.filter((alert) => told.has(alert)),
    counted: alerts.filter((alert) => !told.has(alert) && alert.state === 'firing'),
  }
}

/** The worst is 0. */
export function rank({ state, severity }: Alert): number {
  if (state === 'recovered') return 2
  return severity === 'critical' ? 0 : 1
}
