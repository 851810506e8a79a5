import { formatDuration } from '../../../util/format-duration.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** Checking a large database keeps a worker from answering for a while. */
export const silenceLimitMs = 10 * 60_000
/** Of the alert that one was ended. */
export const replacedKey = conditionKey('agent', 'replaced')
/** So long an ended worker is told of. */
const memoryMs = 60 * 60_000

/** @param workers those that owe an answer, and for how long, in milliseconds */
export function observeSilentWorkers(
  workers: readonly { readonly pid: number | undefined; readonly silentMs: number }[],
): readonly Observation[] {
  const key = conditionKey('agent', 'silent')
  const silent = workers.filter(({ silentMs }) => silentMs > silenceLimitMs)
  const [first] = silent.toSorted((a, b) => b.silentMs - a.silentMs)
  if (first === undefined) return [{ what: 'absent', key }]
  const { pid, silentMs } = first
  const condition = {
    key,
    kind: 'agent',
    severity: 'critical',
    summary: `Worker process ${pid ?? '?'} has not answered for ${formatDuration(silentMs)}: the databases that it follows may not be followed.`,
    hint: 'It hangs, perhaps on a network file system. The agent ends and replaces it, unless it is at work: then it is given an hour.',
    details: { pid: pid ?? 0, silentMs, workers: silent.length },
  } as const
  return [{ what: 'present', condition }]
}

/** @param pid of a worker that had not answered for so long, and was ended */
export function observeEndedWorker(pid: number, silentMs: number): readonly Observation[] {
  const condition = {
    key: replacedKey,
    kind: 'agent',
    severity: 'warning',
    summary: `Worker process ${pid} had not answered for ${formatDuration(silentMs)} and was ended; another one takes over its databases.`,
    hint: 'If that goes on, see what it waits for: a network file system, perhaps, or a failing disk.',
    details: { pid, silentMs },
  } as const
  return [{ what: 'happened', condition, forMs: memoryMs }]
}
