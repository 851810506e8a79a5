import { Registry } from 'prom-client'
import type { CaptureEvent } from '../../capture/capture-events.ts'
import { isExpectedGap } from '../../capture/gap-reasons.ts'
import { isErrorCode } from '../../errors.ts'
import { version } from '../../util/version.ts'
import type { Operation, OperationKind } from '../journal/operation.ts'
import type { Alert } from '../notify/alert.ts'
import { type Delivery, deliveryResults } from '../notify/delivery/channel-queue.ts'
import { DatabaseSeries } from './database-series.ts'
import { counter, gauge, histogram } from './instruments.ts'
import { agentMetrics } from './metric-definitions.ts'
import { addProcessMetrics } from './process-metrics.ts'

export interface MetricsOptions {
  /** So many databases have series of their own; default 1000. */
  readonly databaseLimit?: number | undefined
}

/** Where a followed database stands. Sizes in bytes. */
export interface FollowedFigures {
  /** How long the oldest commit that is not in the repository has waited, in milliseconds; 0 if there is none. */
  readonly lagMs: number
  readonly durableLsn: number
  readonly walBytes?: number | undefined
  readonly spoolBytes: number
  readonly spoolSegments: number
}

/** What the agent tells Prometheus. Times come in milliseconds since 1970, durations in milliseconds. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #series: DatabaseSeries
  readonly #databases = gauge(agentMetrics.databases, this.#registry)
  readonly #workersReplaced = counter(agentMetrics.workersReplaced, this.#registry)
  readonly #mirrors = gauge(agentMetrics.mirrorComplete, this.#registry)
  readonly #operations = counter(agentMetrics.operations, this.#registry)
  readonly #failures = counter(agentMetrics.failures, this.#registry)
  readonly #lastFailure = gauge(agentMetrics.lastFailure, this.#registry)
  readonly #operationSeconds = histogram(agentMetrics.operationSeconds, this.#registry)
  readonly #lockHeld = histogram(agentMetrics.lockHeld, this.#registry)
  readonly #notifications = counter(agentMetrics.notifications, this.#registry)
  readonly #lastFailedNotification = gauge(agentMetrics.lastFailedNotification, this.#registry)
  readonly #alerts = gauge(agentMetrics.alerts, this.#registry)

  constructor({ databaseLimit = 1000 }: MetricsOptions = {}) {
    this.#series = new DatabaseSeries(this.#registry, databaseLimit)
    gauge(agentMetrics.buildInfo, this.#registry).set({ version, node: process.versions.node }, 1)
    addProcessMetrics(this.#registry)
  }

  /** The databases that the agent looks after now; what was said of others is forgotten. */
  setDatabases(names: readonly string[]): void {
    this.#databases.set(names.length)
    this.#series.keep(new Set(names))
  }

  operationEnded(operation: Operation): void {
    const { kind, outcome, database, startedAt, endedAt } = operation
    this.#operations.inc({ operation: kind, outcome })
    this.#operationSeconds.observe({ operation: kind }, Math.max(0, endedAt - startedAt) / 1000)
    if (outcome === 'failed') {
      this.#failures.inc({ operation: kind, code: failureCode(operation) })
      this.#lastFailure.set({ operation: kind }, endedAt / 1000)
    }
    if (database === undefined || (outcome !== 'succeeded' && outcome !== 'warning')) return
    this.setLastSuccess(database, kind, endedAt)
    if (kind === 'verify' || kind === 'drill') this.setLastVerified(database, endedAt)
  }

  /** What is known from before this agent started. */
  setLastSuccess(database: string, operation: OperationKind, at: number): void {
    this.#series.set('lastSuccess', database, at / 1000, { operation })
  }

  setLastVerified(database: string, at: number): void {
    this.#series.set('lastVerified', database, at / 1000)
  }

  setNewestState(database: string, at: number | undefined): void {
    this.#series.set('newestState', database, seconds(at))
  }

  /** The newest window of which every commit can be restored; undefined if there is none. */
  setWindow(database: string, window: { readonly fromTime: number; readonly toTime: number } | undefined): void {
    this.#series.set('windowStart', database, seconds(window?.fromTime))
    this.#series.set('windowEnd', database, seconds(window?.toTime))
  }

  /** @param figures undefined when it is not followed any more */
  setFollowed(database: string, figures: FollowedFigures | undefined): void {
    if (figures !== undefined) this.#series.begin(database)
    this.#series.set('lag', database, seconds(figures?.lagMs))
    this.#series.set('durableLsn', database, figures?.durableLsn)
    this.#series.set('walBytes', database, figures?.walBytes)
    this.#series.set('spoolBytes', database, figures?.spoolBytes)
    this.#series.set('spoolSegments', database, figures?.spoolSegments)
  }

  setNextDue(database: string, schedule: string, at: number | undefined): void {
    this.#series.set('nextDue', database, seconds(at), { schedule })
  }

  /** @param at when that was told */
  captured(database: string, event: CaptureEvent, at: number): void {
    switch (event.kind) {
      case 'commits':
        this.#series.add('commits', database, event.count)
        this.#series.add('capturedBytes', database, event.bytes)
        break
      case 'uploaded':
        this.#series.add('uploads', database)
        this.#series.add('uploadedBytes', database, event.bytes)
        break
      case 'handed-off':
        this.#lockHeld.observe(event.lockHeldMs / 1000)
        break
      case 'gap':
        if (isExpectedGap(event.reason)) break
        this.#series.add('gaps', database)
        this.#series.mark('lastGap', database, at / 1000)
        break
    }
  }

  /** @param completeAt undefined if it never was complete, or is looked after no more */
  setMirror(mirror: string, completeAt: number | undefined): void {
    if (completeAt === undefined) this.#mirrors.remove({ mirror })
    else this.#mirrors.set({ mirror }, completeAt / 1000)
  }

  workerReplaced(): void {
    this.#workersReplaced.inc()
  }

  /** Channels and heartbeats that there are: their counts begin at 0, so that the first event is an increase. */
  setChannels(names: readonly string[]): void {
    for (const channel of names) for (const result of deliveryResults) this.#notifications.inc({ channel, result }, 0)
  }

  delivered({ channel, result, at }: Delivery): void {
    this.#notifications.inc({ channel, result })
    if (result === 'failed') this.#lastFailedNotification.set({ channel }, at / 1000)
  }

  /** The alerts that are on now. */
  setAlerts(alerts: readonly Alert[]): void {
    this.#alerts.reset()
    for (const { kind, severity } of alerts) this.#alerts.inc({ kind, severity })
  }

  /** In Prometheus' text format. */
  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() }
  }
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000
}

/** A drill or verification that came to a bad verdict has no error: that is what the label says. Else there are as many as codes of errors. */
function failureCode({ kind, code }: Operation): string {
  if (code === undefined && kind === 'drill') return 'DRILL_FAILED'
  if (code === undefined && kind === 'verify') return 'VERIFY_FAILED'
  return isErrorCode(code) ? code : 'INTERNAL'
}
