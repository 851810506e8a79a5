import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { verificationKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger, updateLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'

const entry = { checkedAt: '2026-01-21T00:00:00.000Z', ok: true, problem: '' }

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
    assert.deepEqual(await readLedger(database), { segments: {}, restores: {}, waiting: {}, untried: {} })
  })

  it('keeps the later of two checks, whichever is written down first', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set(['a']), backups: new Set<string>() }
    const later = { checkedAt: '2026-01-21T00:00:09.000Z', ok: false, problem: 'broken' }
    await updateLedger(database, { segments: { a: later } }, existing)
    await updateLedger(database, { segments: { a: entry } }, existing)
    assert.deepEqual((await readLedger(database)).segments, { a: later })
  })

  it('does not forget what another verification checked after the listing', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const listedAt = '2026-01-21T00:00:05.000Z'
    const early = { ...entry, checkedAt: '2026-01-21T00:00:04.000Z' }
    const late = { ...entry, checkedAt: '2026-01-21T00:00:06.000Z' }
    const all = { segments: new Set(['gone', 'young']), backups: new Set<string>() }
    await updateLedger(database, { segments: { gone: early, young: late } }, all)
    await updateLedger(database, {}, { segments: new Set(), backups: new Set(), listedAt })
    assert.deepEqual(Object.keys((await readLedger(database)).segments), ['young'])
  })

  const now = Date.parse('2026-01-21T12:00:00.000Z')
  const ahead = '2099-01-01T00:00:00.000Z'

  for (const ok of [true, false]) {
    it(`lets any check count for more than one that a wrong clock dated in the future, which ${ok ? 'was good' : 'found damage'}`, async () => {
      const database = (await Repository.init(new MemoryStorage())).database('app')
      const existing = { segments: new Set(['a']), backups: new Set(['b']) }
      const wrong = { checkedAt: ahead, ok, problem: ok ? '' : 'broken' }
      const results = { segments: { a: wrong }, restores: { b: wrong } }
      await updateLedger(database, results, existing, { now: Date.parse(ahead) })
      const right = { checkedAt: '2026-01-21T11:59:00.000Z', ok: !ok, problem: ok ? 'broken' : '' }
      await updateLedger(database, { segments: { a: right }, restores: { b: right } }, existing, { now })
      const { segments, restores } = await readLedger(database)
      assert.deepEqual([segments, restores], [{ a: right }, { b: right }])
    })
  }

  it('forgets what vanished, and was checked or seen by a clock that was ahead', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const wrong = { checkedAt: ahead, ok: false, problem: 'broken' }
    const all = { segments: new Set(['gone', 'unseen']), backups: new Set<string>() }
    const results = { segments: { gone: wrong }, waiting: { unseen: ahead } }
    await updateLedger(database, results, all, { now: Date.parse(ahead) })
    const listedAt = '2026-01-21T11:59:00.000Z'
    await updateLedger(database, {}, { segments: new Set(), backups: new Set(), listedAt }, { now })
    assert.deepEqual(await readLedger(database), { segments: {}, restores: {}, waiting: {}, untried: {} })
  })

  it('keeps the later of two checks where the clock of another machine is ahead by seconds', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set(['a']), backups: new Set<string>(), listedAt: '2026-01-21T11:59:00.000Z' }
    const later = { checkedAt: '2026-01-21T12:00:20.000Z', ok: false, problem: 'broken' }
    await updateLedger(database, { segments: { a: later } }, existing, { now: now + 20_000 })
    await updateLedger(database, { segments: { a: { ...entry, checkedAt: '2026-01-21T11:59:59.000Z' } } }, existing, {
      now,
    })
    assert.deepEqual((await readLedger(database)).segments, { a: later })
    await updateLedger(database, {}, { ...existing, segments: new Set() }, { now })
    assert.deepEqual((await readLedger(database)).segments, { a: later }, 'it may be young')
  })

  it('knows since when an object waits for its first check, and no longer', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set(['a', 'b']), backups: new Set<string>() }
    const [first, second] = ['2026-01-21T00:00:01.000Z', '2026-01-21T00:00:02.000Z'] as const
    await updateLedger(database, { waiting: { a: first, b: first, gone: first } }, existing)
    await updateLedger(database, { waiting: { b: second }, segments: { a: entry } }, existing)
    assert.deepEqual((await readLedger(database)).waiting, { b: first })
  })

  it('knows which backups there was no room for, until there is or they are gone', async () => {
    const database = (await Repository.init(new MemoryStorage())).database('app')
    const existing = { segments: new Set<string>(), backups: new Set(['a', 'b', 'c']) }
    const [first, second] = ['2026-01-21T00:00:01.000Z', '2026-01-21T00:00:02.000Z'] as const
    await updateLedger(database, { untried: { a: first, b: first, gone: first } }, existing, { now })
    await updateLedger(
      database,
      { untried: { a: second }, restores: { b: { ...entry, checkedAt: second } } },
      existing,
      {
        now,
      },
    )
    assert.deepEqual((await readLedger(database)).untried, { a: second })
    const ahead = new Date(now + 3_600_000).toISOString()
    await updateLedger(database, { restores: { a: entry }, untried: { c: ahead } }, existing, { now })
    assert.deepEqual((await readLedger(database)).untried, { a: second }, 'it was tried before, and a clock was ahead')
  })
})
