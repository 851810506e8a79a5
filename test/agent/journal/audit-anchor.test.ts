import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { anchorAudit } from '../../../src/agent/journal/audit/anchor-audit.ts'
import { type AuditAnchor, putAuditAnchor, readAuditAnchors } from '../../../src/repository/audit-anchor.ts'
import { auditAnchorKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { actor, journalPlace, start } from './support/journals.ts'

const hour = 60 * 60_000

function anchor(chain: string, sequence: number): AuditAnchor {
  const hash = sequence.toString(16).padStart(64, '0')
  return { chain, host: 'shop', user: 'ada', sequence, hash, time: '2026-11-21T12:00:00.000Z' }
}

describe('the head of an audit log in the repository', () => {
  it('is the latest, whoever of many at once writes last', async () => {
    const storage = new MemoryStorage()
    const chain = randomUUID()
    const numbers = [5, 2, 9, 1, 7, 3, 8]
    await Promise.all(numbers.map((sequence) => putAuditAnchor(storage, anchor(chain, sequence), async () => true)))
    assert.deepEqual((await readAuditAnchors(storage)).anchors, [anchor(chain, 9)])
  })

  it('stays as evidence when the log contradicts it', async () => {
    const storage = new MemoryStorage()
    const chain = randomUUID()
    await putAuditAnchor(storage, anchor(chain, 4), async () => true)
    const result = await putAuditAnchor(storage, anchor(chain, 6), async (earlier) => earlier.sequence !== 4)
    assert.equal(result, 'contradicted')
    assert.deepEqual((await readAuditAnchors(storage)).anchors, [anchor(chain, 4)])
  })

  it('is told of when it cannot be read, and the others are read', async () => {
    const storage = new MemoryStorage()
    const [good, bad] = [randomUUID(), randomUUID()]
    await putAuditAnchor(storage, anchor(good, 4), async () => true)
    await storage.put(auditAnchorKey(bad), Buffer.from('nonsense'))
    const { anchors, problems } = await readAuditAnchors(storage)
    assert.deepEqual([anchors, problems.map(({ key }) => key)], [[anchor(good, 4)], [auditAnchorKey(bad)]])
  })
})

describe('noting the head', () => {
  async function recordOne(place: ReturnType<typeof journalPlace>, journal = place.open()) {
    await (await journal.begin(start)).end({ outcome: 'succeeded' })
    return journal
  }

  it('follows the log, from the second process on; that of the first only when the log has lasted', async () => {
    using place = journalPlace()
    const storage = new MemoryStorage()
    await Repository.init(storage)
    const heads = async () => (await readAuditAnchors(storage)).anchors.map(({ sequence }) => sequence)
    const first = await recordOne(place)
    await anchorAudit(first, storage, actor, place.clock.time)
    assert.deepEqual(await heads(), [])
    await anchorAudit(await recordOne(place), storage, actor, place.clock.time)
    assert.deepEqual(await heads(), [4])
    place.clock.time += hour
    await recordOne(place, first)
    await anchorAudit(first, storage, actor, place.clock.time)
    assert.deepEqual(await heads(), [6])
  })

  it('leaves nothing where there is no repository, or nothing was recorded', async () => {
    using place = journalPlace()
    const storage = new MemoryStorage()
    await recordOne(place)
    await anchorAudit(await recordOne(place), storage, actor, place.clock.time)
    await Repository.init(storage)
    await anchorAudit(place.open(), storage, actor, place.clock.time)
    assert.deepEqual((await readAuditAnchors(storage)).anchors, [])
  })

  it('warns if the log was cut off, also if it grew again since', async () => {
    using place = journalPlace()
    const storage = new MemoryStorage()
    await Repository.init(storage)
    for (let i = 0; i < 3; i += 1) await recordOne(place)
    await anchorAudit(await recordOne(place), storage, actor, place.clock.time)
    place.tamper(`DROP TRIGGER audit_keeps; DELETE FROM audit WHERE sequence > 5;
      UPDATE audit_chain SET sequence = 5, hash = (SELECT hash FROM audit WHERE sequence = 5)`)
    for (let i = 0; i < 4; i += 1) {
      const warning = await anchorAudit(await recordOne(place), storage, actor, place.clock.time)
      assert.match(warning ?? '', /is not the one that the repository remembers/, `after ${i + 1} operations`)
    }
    assert.deepEqual(
      (await readAuditAnchors(storage)).anchors.map(({ sequence }) => sequence),
      [8],
    )
  })
})
