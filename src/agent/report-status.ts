import { version } from '../util/version.ts'
import type { AgentParts } from './agent-parts.ts'
import { type AgentStatus, followingStatus, isoTime } from './agent-status.ts'
import type { HealthReport } from './notify/health.ts'
import { namesTaken } from './notify/name-taken.ts'
import type { Scheduler } from './schedule/scheduler.ts'

export interface RunFacts {
  /** Times are in milliseconds since 1970. */
  readonly startedAt: number
  readonly now: number
  readonly configFile: string
  readonly health: HealthReport
}

/** What an agent says of itself, as of now. */
export function reportStatus(parts: AgentParts, { startedAt, now, configFile, health }: RunFacts): AgentStatus {
  const { databases, scheduler, operations, notifier, heartbeats, link, pool, freshness, finder, mirrors } = parts
  const next = nextRuns(scheduler)
  const taken = namesTaken(notifier.firing)
  return {
    version,
    pid: process.pid,
    startedAt: new Date(startedAt).toISOString(),
    configFile,
    repository: link.storage.url,
    health: health.status,
    problems: [...health.problems],
    databases: databases.all.map(({ name, path, followed }) => {
      const due = next.get(name)
      return {
        name,
        path,
        following: followingStatus(followed?.facts),
        // Those under a name that is refused to it are another's.
        lastBackupAt: taken.has(name) ? null : isoTime(freshness.lastBackupAt(name)),
        next: due === undefined ? null : { ...due, at: new Date(due.at).toISOString() },
      }
    }),
    gone: finder.gone.map(({ name, path, since, expected }) => {
      return { name, path, since: new Date(since).toISOString(), expected }
    }),
    mirrors: mirrors.all.map(({ config: { name }, completeAt }) => ({
      mirror: name,
      completeAt: isoTime(completeAt),
      lagMs: completeAt === undefined ? null : Math.max(0, now - completeAt),
      next: isoTime(next.get(name)?.at),
    })),
    running: operations.running.map((running) => ({
      kind: running.kind,
      type: running.type ?? null,
      database: running.database ?? null,
      schedule: running.schedule ?? null,
      startedAt: new Date(running.startedAt).toISOString(),
      waiting: running.waiting ?? null,
    })),
    channels: notifier.channels.map(({ name, type, target, waiting, deliveries }) => ({
      name,
      type,
      target,
      waiting,
      lastSentAt: isoTime(deliveries.lastSentAt),
      problem: deliveries.last?.problem ?? null,
    })),
    heartbeats: heartbeats.status.map(({ name, target, everyMs, database, schedule, deliveries }) => ({
      name,
      target,
      everyMs: everyMs ?? null,
      database: database ?? null,
      schedule: schedule ?? null,
      lastSentAt: isoTime(deliveries.lastSentAt),
      lastFailureAt: isoTime(deliveries.lastFailure?.at),
      lastFailure: deliveries.lastFailure?.problem ?? null,
      failingSince: isoTime(deliveries.failingSince),
    })),
    workers: pool.workers.flatMap(({ pid }) => pid ?? []),
  }
}

/** Of each database and mirror, the schedule that is due next. */
function nextRuns(
  scheduler: Scheduler,
): ReadonlyMap<string, { readonly schedule: string; readonly action: string; readonly at: number }> {
  const next = new Map<string, { schedule: string; action: string; at: number }>()
  for (const { database, schedule, due } of scheduler.list()) {
    const known = next.get(database)
    if (due !== undefined && (known === undefined || due < known.at))
      next.set(database, { schedule: schedule.id, action: schedule.action, at: due })
  }
  return next
}
