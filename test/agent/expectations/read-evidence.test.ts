import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readEvidence } from '../../../src/agent/expectations/read-evidence.ts'
import { addDrill, type DrillRecord } from '../../../src/repository/drill-record.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { updateLedger } from '../../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const iso = (time: number) => new Date(time).toISOString()

it('is what was done up to now, whatever a clock that was ahead dated', async () => {
  await using repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  const check = (time: number) => ({ checkedAt: iso(time), ok: true, problem: '' })
  const drill = (time: number): DrillRecord => {
    const state = { lsn: 1, stateTime: null, backup: null }
    return { drilledAt: iso(time), verdict: 'passed', reasons: [], ...state, recoveryMs: 1, host: 'here' }
  }
  const ahead = Date.parse('2099-01-01T00:00:00Z')
  const [hourAgo, soon] = [now - 3_600_000, now + 20_000]
  const done = async (key: string, time: number, clock: number) => {
    const existing = { segments: new Set(['a', 'b', 'c']), backups: new Set<string>() }
    await updateLedger(database, { segments: { [key]: check(time) } }, existing, { now: clock })
    await addDrill(database, drill(time), new Set(), { now: clock })
    const trigger = { on: 'calendar', every: 'daily' } as const
    const schedules = (['verify', 'drill'] as const).map((action) => ({ id: action, action, trigger }))
    const asked = { isFollowed: false, overdueAfterMs: undefined, schedules }
    const { verifiedAt, drilledAt } = await readEvidence(database, asked, now)
    return [verifiedAt, drilledAt]
  }
  assert.deepEqual(await done('a', ahead, ahead), [undefined, undefined])
  assert.deepEqual(await done('b', hourAgo, now), [hourAgo, hourAgo])
  // Another machine may be some seconds ahead: what it did is done.
  assert.deepEqual(await done('c', soon, soon), [now, now])
})
