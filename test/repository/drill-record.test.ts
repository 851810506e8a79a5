import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { addDrill, type DrillRecord, readDrills } from '../../src/repository/drill-record.ts'
import { drillsKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'

function drill(second: number, backup: string | null, verdict: DrillRecord['verdict'] = 'passed'): DrillRecord {
  const drilledAt = new Date(Date.UTC(2026, 10, 21, 0, 0, second)).toISOString()
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

  it('counts as empty when damaged, and is replaced by the next drill', async () => {
    const app = await database()
    await app.storage.put(drillsKey('app'), Buffer.from('nonsense'))
    assert.deepEqual(await readDrills(app), [])
    await assert.rejects(readDrills(app, { strict: true }), (error) => hasCode(error, 'INTEGRITY'))
    await addDrill(app, drill(1, 'a'), new Set(['a']))
    assert.equal((await readDrills(app, { strict: true })).length, 1)
  })
})
