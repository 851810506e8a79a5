import { formatTime } from '../../../util/format-time.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** What is known of the agent's last run. Times are in milliseconds since 1970. */
export interface LastRun {
  readonly startedAt: number
  /** When it was last known to be alive. */
  readonly seenAt: number
}

/** An agent that runs for so long without being killed is well again. */
const memoryMs = 3_600_000

/** @param last a run that did not stop in order */
export function observeUncleanStop(last: LastRun, restartedAt: number): readonly Observation[] {
  const { startedAt, seenAt } = last
  const condition = {
    key: conditionKey('agent', 'killed'),
    kind: 'agent',
    severity: 'warning',
    summary: `The agent did not stop in order: it started at ${formatTime(startedAt)}, was last seen at ${formatTime(seenAt)}, and is running again since ${formatTime(restartedAt)}.`,
    hint: 'It was killed, or the machine was: see the system\'s log. "holdfast points" shows whether commits were missed.',
    details: { startedAt: iso(startedAt), seenAt: iso(seenAt), restartedAt: iso(restartedAt) },
  } as const
  return [{ what: 'happened', condition, forMs: memoryMs }]
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
