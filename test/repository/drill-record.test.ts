import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { addDrill, type DrillRecord, mergeDrills, readDrills } from '../../src/repository/drill-record.ts'
import { drillsKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'

function drill(second: number, backup: string | null, verdict: DrillRecord['verdict'] = 'passed'): DrillRecord {
  const drilledAt = new Date(Date.UTC(2026, 0, 21, 0, 0, second)).toISOString()
  return { drilledAt, verdict, reasons: [], lsn: 1, stateTime: null, backup, recoveryMs: 1, host: 'here' }
}

async function database() {
  return (await Repository.init(new MemoryStorage())).database('app')
}

describe('the record of drills', () => {
  it('loses nothing when many drills end at once, and is in order', async () => {
    const app = await database()
    const ids = Array.from({ length: 12 }, (_, i) => `backup-${i}`)
    await Promise.all(ids.toReversed().map((id, i) => addDrill(app, drill(i, id), new Set(ids))))
    assert.deepEqual(
      (await readDrills(app)).map(({ backup }) => backup),
      ids.toReversed(),
    )
  })

  it('keeps of each backup the last drill, and the last with a verdict', async () => {
    const app = await database()
    const verdicts = ['passed', 'failed', 'inconclusive', 'inconclusive'] as const
    for (const [i, verdict] of verdicts.entries()) await addDrill(app, drill(i, 'a', verdict), new Set(['a']))
    assert.deepEqual(
      (await readDrills(app)).map(({ verdict }) => verdict),
      ['failed', 'inconclusive'],
    )
    await addDrill(app, drill(9, 'a'), new Set(['a']))
    assert.deepEqual(
      (await readDrills(app)).map(({ verdict }) => verdict),
      ['passed'],
    )
  })

  it('does not grow without bound', async () => {
    const app = await database()
    for (let i = 0; i < 60; i++) await addDrill(app, drill(i, null), new Set())
    const kept = await readDrills(app)
    assert.deepEqual([kept.length, kept[0]?.drilledAt], [50, drill(10, null).drilledAt])
    await addDrill(app, drill(60, 'gone'), new Set(['gone']))
    await addDrill(app, drill(61, 'there'), new Set(['there']))
    assert.deepEqual(
      (await readDrills(app)).slice(-2).map(({ backup }) => backup),
      [null, 'there'],
    )
  })

  it('keeps a drill of a backup that was made while a longer drill ran', async () => {
    const app = await database()
    await addDrill(app, drill(5, 'younger'), new Set(['older', 'younger']))
    await addDrill(app, drill(1, 'older'), new Set(['older']))
    assert.deepEqual(
      (await readDrills(app)).map(({ backup }) => backup),
      ['older', 'younger'],
    )
  })

  describe('where a clock was ahead', () => {
    const now = Date.UTC(2026, 0, 21, 12)
    const ahead = { now: Date.UTC(2099, 0, 1) }
    const wrong = (backup: string | null, verdict: DrillRecord['verdict']) => {
      return { ...drill(0, backup, verdict), drilledAt: new Date(ahead.now).toISOString() }
    }
    const verdicts = (drills: readonly DrillRecord[]) => drills.map(({ verdict }) => verdict)

    it('takes any drill for later than one that is dated in the future', async () => {
      const app = await database()
      await addDrill(app, wrong(null, 'failed'), new Set(), ahead)
      await addDrill(app, drill(1, null, 'passed'), new Set(), { now })
      assert.deepEqual(verdicts(await readDrills(app, { now })), ['failed', 'passed'])
      // The order in which another clock saw them is not kept.
      await addDrill(app, wrong(null, 'failed'), new Set(), ahead)
      assert.deepEqual(verdicts(await readDrills(app, { now })), ['failed', 'failed', 'passed'])
    })

    it('lets the next drill of a backup take its place', async () => {
      const app = await database()
      await addDrill(app, wrong('a', 'passed'), new Set(['a']), ahead)
      await addDrill(app, drill(1, 'a', 'failed'), new Set(['a']), { now })
      assert.deepEqual(verdicts(await readDrills(app, { now })), ['failed'])
    })

    it('keeps none for ever of a backup that is gone', async () => {
      const app = await database()
      await addDrill(app, wrong('gone', 'failed'), new Set(['gone']), ahead)
      await addDrill(app, drill(1, 'a'), new Set(['a']), { now })
      assert.deepEqual(verdicts(await readDrills(app, { now })), ['passed'])
    })

    it('orders those of a mirror in the same way', () => {
      const [late, right] = [wrong(null, 'failed'), drill(1, null, 'passed')]
      assert.deepEqual(mergeDrills([late], [right], new Set(), now), [late, right])
    })

    it('by seconds only, as those of two machines are, goes by the dates', async () => {
      const app = await database()
      const soon = { ...drill(0, 'a', 'failed'), drilledAt: new Date(now + 20_000).toISOString() }
      await addDrill(app, soon, new Set(['a']), { now: now + 20_000 })
      await addDrill(app, drill(1, 'a', 'passed'), new Set(['a']), { now })
      assert.deepEqual(verdicts(await readDrills(app, { now })), ['failed'])
    })
  })

  it('counts as empty when damaged, and is replaced by the next drill', async () => {
    const app = await database()
    await app.storage.put(drillsKey('app'), Buffer.from('nonsense'))
    assert.deepEqual(await readDrills(app), [])
    await assert.rejects(readDrills(app, { strict: true }), (error) => hasCode(error, 'INTEGRITY'))
    await addDrill(app, drill(1, 'a'), new Set(['a']))
    assert.equal((await readDrills(app, { strict: true })).length, 1)
  })
})
