/** What this agent is expected to do, as others are told. Pure. */
import { isDeepStrictEqual } from 'node:util'
import {
  type AgentRecord,
  type ExpectedPlan,
  type ExpectedSchedule,
  expectedActions,
} from '../../repository/agent-record.ts'
import { isInFuture } from '../../util/clock-margin.ts'
import type { VerifyConfig } from '../config/config.ts'
import type { FoundDatabase } from '../discovery/discover.ts'
import type { ScheduleSpec } from '../schedule/schedule-spec.ts'

export interface RecordOwner {
  readonly id: string
  readonly host: string
  /** Path of the configuration file. */
  readonly config: string
}

type Settings = Omit<ExpectedPlan, 'databases'>

/**
 * @param former the record as it was: what is expected of a database as before is expected since then
 * @param lingering names of databases that were dropped a moment ago: what was expected of them stays for now
 */
export function ownRecord(
  { id, host, config }: RecordOwner,
  databases: readonly FoundDatabase[],
  former: AgentRecord | undefined,
  lingering: ReadonlySet<string>,
  now: number,
): AgentRecord {
  const time = new Date(now).toISOString()
  const known = new Map(
    (former?.plans ?? []).flatMap(({ databases: those, ...settings }) =>
      Object.entries(those).map(([name, { path, since }]) => [name, { path, since, settings }] as const),
    ),
  )
  const plans = new Map<string, ExpectedPlan>()
  const add = (name: string, path: string, since: string, settings: Settings): void => {
    const key = JSON.stringify(settings)
    const plan = plans.get(key) ?? { ...settings, databases: {} }
    plan.databases[name] = { path, since }
    plans.set(key, plan)
  }
  for (const found of databases.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const settings = settingsOf(found)
    const before = known.get(found.name)
    const isAsBefore = before !== undefined && isSame(before.settings, settings) && !isInFuture(before.since, now)
    add(found.name, found.path, isAsBefore ? before.since : time, settings)
  }
  const present = new Set(databases.map(({ name }) => name))
  for (const [name, { path, since, settings }] of known)
    if (lingering.has(name) && !present.has(name)) add(name, path, since, settings)
  return { id, host, config, writtenAt: time, plans: [...plans.values()] }
}

/** Whether a record says the same as another, whenever that was written. */
export function saysTheSame(record: AgentRecord, other: AgentRecord): boolean {
  return isSame({ ...record, writtenAt: '' }, { ...other, writtenAt: '' })
}

export function namesOf({ plans }: Pick<AgentRecord, 'plans'>): string[] {
  return plans.flatMap(({ databases }) => Object.keys(databases))
}

function settingsOf({ config: { follow, overdueAfterMs, schedules, verify } }: FoundDatabase): Settings {
  return {
    follow: follow === undefined ? null : { syncIntervalMs: follow.syncIntervalMs },
    overdueAfterMs: overdueAfterMs ?? null,
    schedules: schedules.flatMap((schedule) => expectedSchedule(schedule, verify) ?? []),
  }
}

/** Undefined for what leaves nothing in the repository, or goes by commits that only its agent sees. */
function expectedSchedule(
  { id, action, trigger, jitterMs }: ScheduleSpec,
  { level }: VerifyConfig,
): ExpectedSchedule | undefined {
  if (action === 'verify' && level === 'metadata') return undefined
  const seen = expectedActions.find((each) => each === action)
  if (seen === undefined || trigger.on === 'commits' || trigger.on === 'bytes' || trigger.on === 'quiet')
    return undefined
  return { id, action: seen, trigger, jitterMs }
}

/** Keys in any order, and those that are undefined or not there, make no difference. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
}
