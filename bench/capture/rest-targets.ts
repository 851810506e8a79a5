import { atMost } from '../study.ts'
import type { Verdict } from '../targets.ts'

/** So many the targets are about. */
export const targetDatabases = 1000

export interface AtRest {
  readonly databases: number
  /** Of a core. */
  readonly percent: number
  /** Megabytes, and their unit in words. */
  readonly memory: readonly [number, string]
  /** NaN where they could not be counted; and their unit in words. */
  readonly requests: readonly [number, string]
}

/** Whether databases at rest cost as little as they should; nothing is said of more or fewer than the targets are about. */
export function restVerdicts(
  who: string,
  { databases, percent, memory: [megabytes, memoryUnit], requests: [requests, requestUnit] }: AtRest,
): Verdict[] {
  if (databases !== targetDatabases) return []
  return [
    atMost(`${who}${databases} idle databases ≤ 1 % of a core`, percent, 1, ' %', 2),
    atMost(`… ≤ 400${memoryUnit}`, megabytes, 400, ' MB', 0),
    atMost('… no requests', requests, 0, requestUnit, 0),
  ]
}
