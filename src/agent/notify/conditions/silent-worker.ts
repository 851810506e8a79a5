import { formatDuration } from '../../../util/format-duration.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** Checking a large database keeps a worker from answering for a while. */
const limitMs = 10 * 60_000

/** @param workers those that owe an answer, and for how long, in milliseconds */
export function observeSilentWorkers(
  workers: readonly { readonly pid: number | undefined; readonly silentMs: number }[],
): readonly Observation[] {
  const key = conditionKey('agent', 'silent')
  const silent = workers.filter(({ silentMs }) => silentMs > limitMs)
  const [first] = silent.toSorted((a, b) => b.silentMs - a.silentMs)
  if (first === undefined) return [{ what: 'absent', key }]
  const { pid, silentMs } = first
  const condition = {
    key,
    kind: 'agent',
    severity: 'critical',
    summary: `Worker process ${pid ?? '?'} has not answered for ${formatDuration(silentMs)}: the databases that it follows may not be followed.`,
    hint: 'It hangs, perhaps on a network file system. The agent replaces it if you end it: "kill -9" and its number.',
    details: { pid: pid ?? 0, silentMs, workers: silent.length },
  } as const
  return [{ what: 'present', condition }]
}
