import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/errors.ts'
import type { Pause } from '../../../src/history/pause.ts'
import { resolveState } from '../../../src/restore/resolve-state.ts'
import type { Rig } from './rig.ts'

export const minute = 60_000
/** A log that was handed back could be reset while nobody follows, which would be a gap. */
export const keepLog = { handOff: { logBytes: 1e9, ageMs: 1e12 } }

/** Of a history without gaps. */
export async function pausesOf(rig: Rig): Promise<readonly Pause[]> {
  const { pauses, gaps } = await (await rig.repository()).catalog()
  assert.deepEqual(
    gaps.filter(({ fromLsn }) => fromLsn > 0),
    [],
  )
  return pauses
}

/** The LSN that a time means, or that it is refused, naming the states around. */
export async function at(rig: Rig, time: number, before = false): Promise<number | string> {
  const database = await rig.repository()
  try {
    return (await resolveState(database, await database.catalog(), { by: 'time', time, before })).lsn
  } catch (error) {
    assert.ok(error instanceof HoldfastError && error.code === 'NOT_RESTORABLE', String(error))
    return [...error.message.matchAll(/LSN (\d+) of/g)].map(([, lsn]) => lsn).join(' or ')
  }
}
