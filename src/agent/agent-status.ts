/** What an agent says of itself at a glance; the shape is the one of `holdfast status --json`. */
import { z } from 'zod'
import type { FollowFacts } from './follow/follow-facts.ts'
import { operationKinds } from './journal/operation.ts'
import { severities } from './notify/alert.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.number().min(0)
const milliseconds = z.number().min(0)

export const agentStatus = z.strictObject({
  version: z.string(),
  pid: z.int(),
  startedAt: time,
  configFile: z.string(),
  repository: z.string(),
  health: z.enum(['ok', 'warning', 'failing']),
  problems: z.array(
    z.strictObject({
      key: z.string(),
      severity: z.enum(severities),
      database: z.string().nullable(),
      summary: z.string(),
      since: time,
    }),
  ),
  databases: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      following: z
        .strictObject({
          state: z.enum(['starting', 'following', 'waiting', 'stopped']),
          since: time.describe('since when it is so; with an `error`, since when that has lasted'),
          mode: z.enum(['commits', 'deltas']).nullable(),
          lsn: count,
          durableLsn: count,
          lagMs: milliseconds,
          waitingBytes: count,
          lastCommitAt: time.nullable(),
          error: z.string().nullable(),
        })
        .nullable(),
      lastBackupAt: time.nullable(),
      /** The schedule that is due next. */
      next: z.strictObject({ schedule: z.string(), action: z.string(), at: time }).nullable(),
    }),
  ),
  /** Databases that patterns found once, and that are not there any more. */
  gone: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      since: time,
      /** It went away with others, or with its file system, and is still looked out for; else its owner deleted it, in the last seven days. */
      expected: z.boolean(),
    }),
  ),
  mirrors: z.array(
    z.strictObject({
      mirror: z.string().describe('URL without credentials'),
      completeAt: time.nullable().describe('all that the repository held then is there, as far as this agent knows'),
      lagMs: milliseconds.nullable().describe('how long ago that was'),
      next: time.nullable().describe('when it is brought up to date next'),
    }),
  ),
  running: z.array(
    z.strictObject({
      kind: z.enum(operationKinds),
      type: z.string().nullable(),
      database: z.string().nullable(),
      schedule: z.string().nullable(),
      startedAt: time,
      waiting: z
        .string()
        .nullable()
        .describe('why it waits, which keeps nothing of other databases from being done; null while it is at work'),
    }),
  ),
  channels: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string(),
      target: z.string(),
      waiting: count,
      lastSentAt: time.nullable().describe('null: nothing got through since the agent started'),
      problem: z.string().nullable().describe('what went wrong with the last attempt'),
    }),
  ),
  heartbeats: z.array(
    z.strictObject({
      name: z.string(),
      target: z.string(),
      everyMs: milliseconds
        .nullable()
        .describe('it is told so often that all is well; null: it is told of scheduled operations'),
      database: z.string().nullable().describe('it is told of the operations of that one alone'),
      schedule: z.string().nullable().describe('it is told of what that one asks for alone'),
      lastSentAt: time.nullable(),
      lastFailureAt: time.nullable(),
      lastFailure: z.string().nullable().describe('what went wrong then'),
      failingSince: time.nullable().describe('nothing has got through since then'),
    }),
  ),
  workers: z.array(z.int()),
})
export type AgentStatus = z.infer<typeof agentStatus>

export function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}

export function followingStatus(facts: FollowFacts | undefined): AgentStatus['databases'][number]['following'] {
  if (facts === undefined) return null
  const { state, since, mode, lsn, durableLsn, lagMs, waiting, lastCommitAt, error, trouble } = facts
  return {
    state,
    since: new Date(since).toISOString(),
    mode: mode ?? null,
    lsn,
    durableLsn,
    lagMs,
    waitingBytes: waiting.bytes,
    lastCommitAt: isoTime(lastCommitAt),
    error: error?.message ?? trouble ?? null,
  }
}
