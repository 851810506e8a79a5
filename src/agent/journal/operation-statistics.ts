import type { OperationKind } from './operation.ts'
import type { RecordedOperation } from './recorded-operation.ts'

/** How operations of one kind went. Durations are in milliseconds, of those that came to an end. */
export interface OperationStatistics {
  readonly kind: OperationKind
  /** All that ended; those that still run are not counted. */
  readonly runs: number
  readonly outcomes: Readonly<Record<'succeeded' | 'warning' | 'failed' | 'interrupted' | 'inconclusive', number>>
  /** Succeeded, also with warnings, as a part of all runs: 0 to 1. */
  readonly successRate: number
  readonly durationMs: { readonly median: number; readonly p95: number; readonly max: number }
  /** By day of the start in UTC (`2026-11-21`), oldest first; days without a run are left out. */
  readonly days: readonly OperationDay[]
}

export interface OperationDay {
  readonly day: string
  readonly runs: number
  readonly failed: number
  readonly medianMs: number
}

type Ended = RecordedOperation & { readonly endedAt: number; readonly outcome: keyof OperationStatistics['outcomes'] }

/** By kind, in the order in which they first occurred. */
export function operationStatistics(operations: readonly RecordedOperation[]): OperationStatistics[] {
  return [...Map.groupBy(operations.filter(hasEnded), ({ kind }) => kind)].map(([kind, runs]) => {
    const outcomes = { succeeded: 0, warning: 0, failed: 0, interrupted: 0, inconclusive: 0 }
    for (const { outcome } of runs) outcomes[outcome] += 1
    const durations = durationsOf(runs)
    return {
      kind,
      runs: runs.length,
      outcomes,
      successRate: (outcomes.succeeded + outcomes.warning) / runs.length,
      durationMs: {
        median: quantile(durations, 0.5),
        p95: quantile(durations, 0.95),
        max: durations.at(-1) ?? 0,
      },
      days: daysOf(runs),
    }
  })
}

function daysOf(runs: readonly Ended[]): OperationDay[] {
  return [...Map.groupBy(runs, ({ startedAt }) => utcDay(startedAt))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, those]) => ({
      day,
      runs: those.length,
      failed: those.filter(({ outcome }) => outcome === 'failed').length,
      medianMs: quantile(durationsOf(those), 0.5),
    }))
}

function hasEnded(operation: RecordedOperation): operation is Ended {
  return operation.outcome !== 'running' && operation.endedAt !== undefined
}

/** In ascending order. How long one would have taken that was interrupted, nobody knows. */
function durationsOf(runs: readonly Ended[]): number[] {
  const ended = runs.filter(({ outcome }) => outcome !== 'interrupted')
  return ended.map(({ startedAt, endedAt }) => Math.max(0, endedAt - startedAt)).sort((a, b) => a - b)
}

/** The smallest value that at least such a part of all does not exceed; 0 of none. */
function quantile(ascending: readonly number[], part: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * part) - 1)] ?? 0
}

/** @param time milliseconds since 1970 */
function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
