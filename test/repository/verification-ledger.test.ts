import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { verificationKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger, updateLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'

const entry = { checkedAt: '2026-11-21T00:00:00.000Z', ok: true, problem: '' }

describe('the verification ledger', () => {
  it('loses nothing when many verifications end at once', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const keys = Array.from({ length: 12 }, (_, i) => `segment-${i}`)
    const exists = { segments: new Set(keys), backups: new Set<string>() }
    await Promise.all(keys.map((key) => updateLedger(database, { segments: { [key]: entry }, restores: {} }, exists)))
    assert.deepEqual(Object.keys((await readLedger(database)).segments).sort(), keys.toSorted())
  })

  it('forgets what is not there any more, and counts as empty when damaged', async () => {
    const storage = new MemoryStorage()
    const database = (await Repository.init(storage)).database('app')
    await updateLedger(
      database,
      { segments: { old: entry }, restores: {} },
      { segments: new Set(['old']), backups: new Set() },
    )
    await updateLedger(
      database,
      { segments: { next: entry }, restores: {} },
      { segments: new Set(['next']), backups: new Set() },
    )
    assert.deepEqual(Object.keys((await readLedger(database)).segments), ['next'])
    await storage.put(verificationKey('app'), Buffer.from('nonsense'))
    assert.deepEqual(await readLedger(database), { segments: {}, restores: {}, waiting: {} })
  })

  it('keeps the later of two checks, whichever is written down first', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set(['a']), backups: new Set<string>() }
    const later = { checkedAt: '2026-11-21T00:00:09.000Z', ok: false, problem: 'broken' }
    await updateLedger(database, { segments: { a: later } }, existing)
    await updateLedger(database, { segments: { a: entry } }, existing)
    assert.deepEqual((await readLedger(database)).segments, { a: later })
  })

  it('does not forget what another verification checked after the listing', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const listedAt = '2026-11-21T00:00:05.000Z'
    const early = { ...entry, checkedAt: '2026-11-21T00:00:04.000Z' }
    const late = { ...entry, checkedAt: '2026-11-21T00:00:06.000Z' }
    const all = { segments: new Set(['gone', 'young']), backups: new Set<string>() }
    await updateLedger(database, { segments: { gone: early, young: late } }, all)
    await updateLedger(database, {}, { segments: new Set(), backups: new Set(), listedAt })
    assert.deepEqual(Object.keys((await readLedger(database)).segments), ['young'])
  })

  it('knows since when an object waits for its first check, and no longer', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set(['a', 'b']), backups: new Set<string>() }
    const [first, second] = ['2026-11-21T00:00:01.000Z', '2026-11-21T00:00:02.000Z'] as const
    await updateLedger(database, { waiting: { a: first, b: first, gone: first } }, existing)
    await updateLedger(database, { waiting: { b: second }, segments: { a: entry } }, existing)
    assert.deepEqual((await readLedger(database)).waiting, { b: first })
  })
})
