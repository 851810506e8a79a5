import { Metrics } from '../../../src/agent/metrics/metrics.ts'
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { Scrapes } from './scrapes.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** The first scrape is at the time 0, which is when Prometheus' tests begin. */
export interface AgentLife {
  readonly minutes: number
  /** What is told besides that all is well, before the scrape of each minute. @param now milliseconds */
  readonly tell?: ((metrics: Metrics, minute: number, now: number) => void) | undefined
  /** Default: never. */
  readonly restartsIn?: readonly number[]
  /** Whether the agent answers; default: always. */
  readonly answers?: (minute: number) => boolean
}

/** What Prometheus gets of an agent with that life. */
export async function scrapesOf({
  minutes,
  tell = () => {},
  restartsIn = [],
  answers = () => true,
}: AgentLife): Promise<Scrapes> {
  const scrapes = new Scrapes()
  let metrics = new Metrics()
  for (let at = 0; at < minutes; at += 1) {
    if (restartsIn.includes(at)) metrics = new Metrics()
    tellAllIsWell(metrics, at)
    tell(metrics, at, at * minute)
    scrapes.add(answers(at) ? (await metrics.render()).body : undefined)
  }
  return scrapes
}

export const gap: CaptureEvent = {
  kind: 'gap',
  fromLsn: toLsn(1),
  toLsn: toLsn(9),
  fromTime: 0,
  toTime: 1,
  reason: gapReasons['log-reset'],
}

export const figures = { lagMs: 300, durableLsn: 7, walBytes: 4_000_000, spoolBytes: 0, spoolSegments: 0 }

export function tellAllIsWell(metrics: Metrics, at: number): void {
  const now = at * minute
  metrics.setDatabases(['app'])
  metrics.setChannels(['pager'])
  metrics.setFollowed('app', figures)
  metrics.setNewestState('app', now - 300)
  metrics.setWindow('app', { fromTime: -7 * day, toTime: now - 300 })
  metrics.setLastSuccess('app', 'backup', -23 * hour)
  metrics.setLastVerified('app', -6 * day)
  metrics.setNextDue('app', 'daily', now + hour)
  metrics.setMirror('s3://copy', now - 10 * minute)
  metrics.setAlerts([])
  metrics.captured('app', { kind: 'commits', count: 5, bytes: 20_480, lsn: toLsn(at + 1), time: now }, now)
  metrics.captured('app', { kind: 'handed-off', complete: true, lockHeldMs: 2, framesBefore: 9, framesLeft: 0 }, now)
  if (at % 30 === 0) metrics.delivered({ channel: 'pager', result: 'sent', at: now })
}
