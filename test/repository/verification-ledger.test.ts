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
    assert.deepEqual(await readLedger(database), { segments: {}, restores: {} })
  })
})
