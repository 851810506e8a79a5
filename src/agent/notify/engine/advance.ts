/**
 * Conditions in, alerts out: a pure function of what was known before, what was seen, and the time. An alert is told once when
 * it begins, again after `repeatMs` for as long as it lasts, and once when it is over.
 */
import type { Alert, Condition } from '../alert.ts'
import { type AlertSettings, settleTime } from './alert-settings.ts'
import type { AlertEntry, AlertState, Incident } from './alert-state.ts'

/** What was seen. */
export type Observation =
  /** The condition is true now. Seeing it again changes nothing but its words and figures. */
  | {
      readonly what: 'present'
      readonly condition: Condition
      /** For how long it must be true, from when it was first seen, before it is told, in milliseconds; default: that of its kind. */
      readonly delayMs?: number | undefined
      /** It is told only by being seen once more after that time, and not because nobody said meanwhile that it is over. */
      readonly onSight?: boolean | undefined
    }
  /** It happened, once more. With `forMs` it is over when it has not happened again for so long; without, when it is `absent`. */
  | { readonly what: 'happened'; readonly condition: Condition; readonly forMs?: number | undefined }
  | { readonly what: 'absent'; readonly key: string }
  /** Nobody looks any more whether it is so: it ends now, and whoever was told of it is told why. `why` is one sentence. */
  | { readonly what: 'dropped'; readonly key: string; readonly why: string }
  /** The database is no longer ours to watch: all that was wrong with it is dropped. */
  | { readonly what: 'forgotten'; readonly database: string }

export interface Advanced {
  readonly state: AlertState
  /** In the order in which they came up. */
  readonly alerts: readonly Alert[]
  /** When to come back, though nothing was seen; undefined if there is nothing to wait for. */
  readonly nextAt: number | undefined
}

/** @param now milliseconds since 1970; a clock that jumps back delays reminders and recoveries, and loses none */
export function advance(
  before: AlertState,
  observations: readonly Observation[],
  now: number,
  settings: AlertSettings,
): Advanced {
  const state = new Map(Object.entries(before))
  const alerts: Alert[] = []
  for (const observation of observations) observe(state, observation, now, alerts)
  const seen = new Set(observations.flatMap((each) => (each.what === 'present' ? each.condition.key : [])))
  let nextAt: number | undefined
  for (const [key, entry] of state) {
    const { next, alert, wakeAt } = pass(entry, now, settings, seen.has(key))
    if (alert !== undefined) alerts.push(alert)
    if (next === undefined) state.delete(key)
    else state.set(key, next)
    if (wakeAt !== undefined) nextAt = Math.min(nextAt ?? wakeAt, wakeAt)
  }
  return { state: Object.fromEntries(state), alerts, nextAt }
}

function observe(state: Map<string, AlertEntry>, observation: Observation, now: number, alerts: Alert[]): void {
  if (observation.what === 'forgotten') {
    const { database } = observation
    const why = `${database} is no longer looked after.`
    for (const [key, entry] of state)
      if (entry.phase !== 'over' && entry.condition.database === database) drop(state, key, why, now, alerts)
    return
  }
  if (observation.what === 'dropped') {
    drop(state, observation.key, observation.why, now, alerts)
    return
  }
  if (observation.what === 'absent') {
    const entry = state.get(observation.key)
    const next = entry === undefined ? undefined : ended(entry, now)
    if (next === undefined) state.delete(observation.key)
    else state.set(observation.key, next)
    return
  }
  const { condition } = observation
  const happened = observation.what === 'happened'
  const forMs = happened ? observation.forMs : undefined
  const delayMs = observation.what === 'present' ? (observation.delayMs ?? null) : null
  const onSight = observation.what === 'present' && observation.onSight === true
  const next = begunOrGoingOn(state.get(condition.key), condition, { happened, forMs, delayMs, onSight, now })
  const worse = next.phase === 'firing' && escalated(state.get(condition.key), condition)
  if (worse) alerts.push(alertOf(next, 'firing', now, next.reminder))
  state.set(condition.key, worse ? { ...next, noticedAt: now } : next)
}

interface Sighting {
  readonly happened: boolean
  readonly forMs: number | undefined
  readonly delayMs: number | null
  readonly onSight: boolean
  readonly now: number
}

function begunOrGoingOn(
  entry: AlertEntry | undefined,
  condition: Condition,
  { happened, forMs, delayMs, onSight, now }: Sighting,
): Incident {
  const end = forMs === undefined ? { until: null } : { until: now + forMs, forMs }
  if (entry === undefined || entry.phase === 'over') {
    const flaps = entry === undefined ? 0 : entry.flaps + 1
    const first = { condition, since: now, times: 1, ...end, flaps, delayMs }
    return { phase: 'pending', ...first, ...(onSight ? { onSight } : {}) }
  }
  const returned = entry.phase === 'settling'
  // The worst that it has been: whoever was told of that alone must hear of its end, and hear of it once.
  const severity = entry.condition.severity === 'critical' ? 'critical' : condition.severity
  const times = entry.times + (happened || returned ? 1 : 0)
  const { forMs: _forMs, ...rest } = entry
  const going = { ...rest, condition: { ...condition, severity }, ...end, times }
  if (going.phase !== 'settling') return going
  const { clearedAt: _clearedAt, ...firing } = going
  return { ...firing, phase: 'firing' }
}

/** What was told is told to be over, whether or not it is; what comes back is new. */
function drop(state: Map<string, AlertEntry>, key: string, why: string, now: number, alerts: Alert[]): void {
  const entry = state.get(key)
  state.delete(key)
  if (entry?.phase !== 'firing' && entry?.phase !== 'settling') return
  const { summary, hint: _hint, ...condition } = entry.condition
  const told = { ...entry, condition: { ...condition, summary: `${why} Before that: ${summary}` } }
  alerts.push(alertOf(told, 'recovered', now, entry.reminder))
}

/** A warning that becomes critical is told at once. */
function escalated(entry: AlertEntry | undefined, condition: Condition): boolean {
  return (
    (entry?.phase === 'firing' || entry?.phase === 'settling') &&
    entry.condition.severity === 'warning' &&
    condition.severity === 'critical'
  )
}

/** What nobody was told of ends without a word. */
function ended(entry: AlertEntry, now: number): AlertEntry | undefined {
  switch (entry.phase) {
    case 'pending':
      return entry.flaps === 0 ? undefined : { phase: 'over', endedAt: now, flaps: entry.flaps }
    case 'firing':
      return { ...entry, phase: 'settling', clearedAt: now }
    default:
      return entry
  }
}

interface Passed {
  readonly next: AlertEntry | undefined
  readonly alert?: Alert
  readonly wakeAt?: number
}

/** What the time does to an entry. @param isSeen whether its condition was seen just now */
function pass(known: AlertEntry, now: number, settings: AlertSettings, isSeen = false): Passed {
  const entry = known.phase === 'over' ? known : withinReach(known, now)
  switch (entry.phase) {
    case 'over': {
      // An end in the future was written before the clock jumped back.
      const endedAt = Math.min(entry.endedAt, now)
      const forgetAt = endedAt + settings.flapMemoryMs
      return now >= forgetAt ? { next: undefined } : { next: { ...entry, endedAt }, wakeAt: forgetAt }
    }
    case 'pending': {
      const since = Math.min(entry.since, now)
      const dueAt = since + (entry.delayMs ?? settings.timing[entry.condition.kind].delayMs)
      const { delayMs: _delayMs, onSight = false, ...incident } = entry
      if (onSight && !(isSeen && now >= dueAt)) return { next: { ...entry, since } }
      if (now < dueAt) return { next: { ...entry, since }, wakeAt: dueAt }
      const firing: Incident = { ...incident, phase: 'firing', since, noticedAt: now, reminder: 0 }
      const rest = pass(firing, now, settings)
      return { ...rest, alert: alertOf(firing, 'firing', now, 0) }
    }
    case 'firing':
      return passFiring(entry, now, settings)
    case 'settling': {
      const clearedAt = Math.min(entry.clearedAt, now)
      const { kind } = entry.condition
      // Waiting out `until` was settling enough.
      const waited = entry.until !== null && clearedAt >= entry.until
      const overAt = clearedAt + (waited ? 0 : settleTime(settings, kind, entry.flaps))
      if (now < overAt) return { next: { ...entry, clearedAt }, wakeAt: overAt }
      const over: AlertEntry = { phase: 'over', endedAt: now, flaps: entry.flaps }
      const { wakeAt } = pass(over, now, settings)
      const alert = alertOf(entry, 'recovered', clearedAt, entry.reminder)
      return { next: over, alert, ...(wakeAt === undefined ? {} : { wakeAt }) }
    }
  }
}

/** It may have happened while the clock was ahead. What was kept before `forMs` was kept too ends no later than so long after it began. */
function withinReach<E extends Incident>(entry: E, now: number): E {
  const { until, since, forMs } = entry
  return until === null ? entry : { ...entry, until: Math.min(until, now + Math.max(0, forMs ?? until - since)) }
}

function passFiring(entry: Extract<AlertEntry, { phase: 'firing' }>, now: number, settings: AlertSettings): Passed {
  if (entry.until !== null && now >= entry.until)
    return pass({ ...entry, phase: 'settling', clearedAt: entry.until }, now, settings)
  const noticedAt = Math.min(entry.noticedAt, now)
  const repeatAt = noticedAt + settings.repeatMs
  const reminder = entry.reminder + 1
  const due = now >= repeatAt
  const next = due ? { ...entry, noticedAt: now, reminder } : { ...entry, noticedAt }
  const wakeAt = Math.min(next.noticedAt + settings.repeatMs, entry.until ?? Number.POSITIVE_INFINITY)
  return due ? { next, wakeAt, alert: alertOf(next, 'firing', now, reminder) } : { next, wakeAt }
}

function alertOf(entry: Incident, state: Alert['state'], at: number, reminder: number): Alert {
  const { condition, since, times } = entry
  return { ...condition, state, incident: incidentOf(entry), at, since, reminder, times }
}

/** What comes back within the same millisecond is another incident. */
export function incidentOf({ condition, since, flaps }: Incident): string {
  return `${condition.key}@${new Date(since).toISOString()}${flaps === 0 ? '' : `.${flaps}`}`
}
