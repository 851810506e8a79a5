import type { AlertKind } from '../alert.ts'

const minute = 60_000
const hour = 60 * minute

/** All in milliseconds. */
export interface AlertTiming {
  /** A condition is told when it has been true for so long. */
  readonly delayMs: number
  /** It is called over when it has not been true for so long. */
  readonly settleMs: number
}

export interface AlertSettings {
  /** What lasts is told again after so long; default 24 h. */
  readonly repeatMs: number
  readonly timing: Readonly<Record<AlertKind, AlertTiming>>
  /** What comes back within this time after it was over is flapping; default 24 h. */
  readonly flapMemoryMs: number
  /** Each return makes the wait before "over" twice as long, from the first of these to the second. */
  readonly flapSettleMs: { readonly first: number; readonly longest: number }
}

const atOnce = { delayMs: 0, settleMs: 0 }

export const defaultAlertSettings: AlertSettings = {
  repeatMs: 24 * hour,
  timing: {
    failure: atOnce,
    overdue: atOnce,
    missing: atOnce,
    lag: { delayMs: minute, settleMs: 5 * minute },
    gap: atOnce,
    verify: atOnce,
    drill: atOnce,
    spool: { delayMs: 0, settleMs: 5 * minute },
    disk: { delayMs: 0, settleMs: 10 * minute },
    expiring: atOnce,
    agent: atOnce,
  },
  flapMemoryMs: 24 * hour,
  flapSettleMs: { first: 10 * minute, longest: 6 * hour },
}

/** How long a condition must be gone before its alert is over. */
export function settleTime(settings: AlertSettings, kind: AlertKind, flaps: number): number {
  const { settleMs } = settings.timing[kind]
  if (flaps === 0) return settleMs
  const { first, longest } = settings.flapSettleMs
  return Math.max(settleMs, Math.min(longest, first * 2 ** (flaps - 1)))
}
