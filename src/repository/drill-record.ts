/**
 * How restore drills ended: one document a database, replaced by compare-and-swap. It is knowledge about backups, not part of
 * them: losing it costs a drill, nothing else.
 */
import { z } from 'zod'
import { hasCode } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { isInFuture } from '../util/clock-margin.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { readDocument } from './documents.ts'
import { drillsKey } from './layout.ts'
import { replaceDocument } from './replace-document.ts'

const time = z.iso.datetime({ precision: 3 })

const record = z.strictObject({
  /** When it began: ISO 8601, as every time here. */
  drilledAt: time,
  verdict: z.enum(['passed', 'failed', 'inconclusive']),
  /** Why it did not pass. */
  reasons: z.array(z.string()),
  /** Of the state that was tried; null if it did not come so far. */
  lsn: z.int().min(1).nullable(),
  stateTime: time.nullable(),
  /** Id of the backup with that state, null for a state between backups. */
  backup: z.string().nullable(),
  /** Milliseconds, proof included; null if it was not recovered. */
  recoveryMs: z.number().min(0).nullable(),
  host: z.string(),
})
export type DrillRecord = z.infer<typeof record>

const drills = z.strictObject({ drills: z.array(record) })

/** Of states between backups, so many are kept. */
const mostStates = 50

export interface DrillOrder extends OperationOptions {
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
}

/**
 * Oldest first. One that is dated in the future was dated by a clock that was wrong, and stands before all others. An unreadable document
 * counts as none, unless `strict`.
 */
export async function readDrills(
  database: Pick<DatabaseRepository, 'storage' | 'name'>,
  { strict = false, now = Date.now(), ...options }: DrillOrder & { readonly strict?: boolean | undefined } = {},
): Promise<readonly DrillRecord[]> {
  try {
    const found = await readDocument(database.storage, 'drills', drills, drillsKey(database.name), options)
    return (found?.drills ?? []).toSorted(inOrder(now))
  } catch (error) {
    if (!strict && hasCode(error, 'INTEGRITY')) return []
    throw error
  }
}

/**
 * Adds a drill, and forgets what is not needed any more, such as drills of backups that are gone. Drills at once lose nothing of one
 * another's.
 * @param backups ids of those that were there when this drill began, or later
 */
export async function addDrill(
  database: DatabaseRepository,
  drill: DrillRecord,
  backups: ReadonlySet<string>,
  { now = Date.now(), ...options }: DrillOrder = {},
): Promise<void> {
  const next = async () => {
    const all = [...(await readDrills(database, { ...options, now })), drill]
    all.sort(inOrder(now))
    const needed = stillNeeded(all, backups)
    // A drill that began later may be one of a backup that was made later.
    const isYounger = ({ drilledAt }: DrillRecord) => drilledAt > drill.drilledAt && !isInFuture(drilledAt, now)
    return { drills: all.filter((one) => needed.has(one) || isYounger(one)) }
  }
  await replaceDocument(database, 'drills', drillsKey(database.name), next, options)
}

/**
 * Those of a repository and of its mirror, as far as they are needed there.
 * @param backups ids of those on the mirror
 * @param now milliseconds since 1970
 */
export function mergeDrills(
  ones: readonly DrillRecord[],
  others: readonly DrillRecord[],
  backups: ReadonlySet<string>,
  now: number,
): readonly DrillRecord[] {
  const all = new Map([...ones, ...others].map((drill) => [JSON.stringify(drill), drill]))
  const sorted = [...all.values()].sort(inOrder(now))
  const needed = stillNeeded(sorted, backups)
  return sorted.filter((drill) => needed.has(drill))
}

function inOrder(now: number): (a: DrillRecord, b: DrillRecord) => number {
  const isWrong = ({ drilledAt }: DrillRecord) => isInFuture(drilledAt, now)
  return (a, b) =>
    Number(isWrong(b)) - Number(isWrong(a)) || (a.drilledAt < b.drilledAt ? -1 : a.drilledAt > b.drilledAt ? 1 : 0)
}

/** Of each backup the last drill, and the last one with a verdict; of other states the newest. */
function stillNeeded(all: readonly DrillRecord[], backups: ReadonlySet<string>): ReadonlySet<DrillRecord> {
  const kept = new Set(all.filter(({ backup }) => backup === null).slice(-mostStates))
  for (const id of backups) {
    const { last, decided } = drillsOf(all, id)
    if (last !== undefined) kept.add(last)
    if (decided !== undefined) kept.add(decided)
  }
  return kept
}

/** Of a backup: its last drill, and the last that was not inconclusive. */
export function drillsOf(
  all: readonly DrillRecord[],
  id: string,
): { readonly last: DrillRecord | undefined; readonly decided: DrillRecord | undefined } {
  const own = all.filter(({ backup }) => backup === id)
  return { last: own.at(-1), decided: own.findLast(({ verdict }) => verdict !== 'inconclusive') }
}
