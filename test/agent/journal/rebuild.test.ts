import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { operationsOf, rebuildJournal } from '../../../src/agent/journal/rebuild.ts'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { addDrill, type DrillRecord } from '../../../src/repository/drill-record.ts'
import { manifestKey } from '../../../src/repository/layout.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { updateLedger } from '../../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { PageSource } from '../../support/page-source.ts'
import { journalPlace } from './support/journals.ts'

async function repositoryOfTwo() {
  const repository = await Repository.init(new MemoryStorage())
  const source = new PageSource().fill(20, 1)
  const first = (await createBackup(source, repository, { type: 'full' })).metadata
  source.change(3, 9)
  const second = (await createBackup(source, repository, { type: 'incremental' })).metadata
  return { repository, database: repository.database('app'), first, second }
}

const at = (minutes: number) => new Date(Date.parse('2026-11-20T08:00:00.000Z') + minutes * 60_000).toISOString()

describe('what a repository tells of', () => {
  it('is its backups, with their times, sizes and outcomes', async () => {
    using place = journalPlace()
    const { repository, first, second } = await repositoryOfTwo()
    const journal = place.open()
    assert.deepEqual(await rebuildJournal(journal, repository), { added: 2, problems: [] })
    const operations = await journal.operations({ repository: repository.url })
    assert.deepEqual(
      operations.map(({ kind, database, type, backupId, outcome, endedAt, rebuilt }) => {
        return { kind, database, type, backupId, outcome, endedAt, rebuilt }
      }),
      [first, second].map(({ id, type, createdAt }) => {
        const common = { kind: 'backup', database: 'app', outcome: 'succeeded', rebuilt: true }
        return { ...common, type, backupId: id, endedAt: Date.parse(createdAt) }
      }),
    )
    const { lsn, databaseBytes, pages, rawBytes, storedBytes } = second
    assert.deepEqual(operations[1]?.figures, { lsn, databaseBytes, pages, rawBytes, storedBytes })
  })

  it('is also the gaps of what was followed, and what was verified, a run at a time', async () => {
    const { database, first, second } = await repositoryOfTwo()
    const gap = { fromLsn: toLsn(1), toLsn: toLsn(2), fromTime: 1000, toTime: 5000, reason: 'it was not running' }
    await database.putGap(gap)
    const ledger = {
      restores: { [first.id]: { checkedAt: at(0), ok: false, problem: 'No.' } },
      segments: {
        a: { checkedAt: at(60), ok: true, problem: '' },
        b: { checkedAt: at(62), ok: false, problem: 'Broken.' },
        c: { checkedAt: at(200), ok: true, problem: '' },
      },
      waiting: {},
      untried: {},
    }
    const told = operationsOf(await database.catalog(), ledger).slice(2)
    assert.deepEqual(
      told.map(({ operation: { kind, type, startedAt, endedAt, outcome, message } }) => {
        return [kind, type, startedAt, endedAt, outcome, message]
      }),
      [
        ['follow', undefined, 1000, 5000, 'warning', 'A gap: it was not running.'],
        ['verify', 'restore', Date.parse(at(0)), Date.parse(at(0)), 'failed', 'No.'],
        ['verify', 'data', Date.parse(at(60)), Date.parse(at(62)), 'failed', 'Broken.'],
        ['verify', 'data', Date.parse(at(200)), Date.parse(at(200)), 'succeeded', undefined],
      ],
    )
    assert.equal(new Set(told.map(({ origin }) => origin)).size, 4)
    assert.equal(second.parent, first.id)
  })

  it('is entered once, however often it is asked, in one go or bit by bit', async () => {
    using place = journalPlace()
    const { repository, database, first } = await repositoryOfTwo()
    const exists = { segments: new Set(['a', 'b']), backups: new Set([first.id]) }
    const ok = { ok: true, problem: '' }
    await updateLedger(
      database,
      { segments: { a: { checkedAt: at(0), ...ok } }, restores: { [first.id]: { checkedAt: at(90), ...ok } } },
      exists,
    )
    const journal = place.open()
    assert.equal((await rebuildJournal(journal, repository)).added, 4)
    assert.equal((await rebuildJournal(journal, repository)).added, 0)
    // Later verifications replace what the ledger says; what it said before stays in the history.
    await updateLedger(database, { segments: { a: { checkedAt: at(120), ...ok } }, restores: {} }, exists)
    assert.equal((await rebuildJournal(journal, repository)).added, 1)
    assert.equal((await rebuildJournal(place.open(), repository)).added, 0)
    assert.equal((await journal.operations()).length, 5)
  })

  it('adds nothing to what was recorded when it was done, not even when it was asked in between', async () => {
    using place = journalPlace()
    place.clock.time = Date.now()
    const repository = await Repository.init(new MemoryStorage())
    const journal = place.open()
    const start = { database: 'app', repository: repository.url, trigger: 'manual' } as const
    const backup = await journal.begin({ ...start, kind: 'backup' })
    const { metadata } = await createBackup(new PageSource().fill(20, 1), repository, { type: 'full' })
    await rebuildJournal(place.open(), repository)
    await backup.end({ outcome: 'succeeded', backupId: metadata.id })
    const verification = await journal.begin({ ...start, kind: 'verify', database: undefined })
    const checkedAt = new Date(place.clock.time + 500).toISOString()
    await updateLedger(
      repository.database('app'),
      { segments: { a: { checkedAt, ok: true, problem: '' } }, restores: {} },
      { segments: new Set(['a']), backups: new Set() },
    )
    place.clock.time += 1000
    await verification.end({ outcome: 'succeeded' })
    assert.equal((await rebuildJournal(journal, repository)).added, 0)
    assert.deepEqual(
      (await journal.operations()).map(({ kind, rebuilt }) => [kind, rebuilt]),
      [
        ['backup', false],
        ['verify', false],
      ],
    )
  })

  it('has the drills too, with their verdicts', async () => {
    using place = journalPlace()
    const { repository, database, first } = await repositoryOfTwo()
    const drill = { lsn: 1, stateTime: null, backup: first.id, recoveryMs: 1500, host: 'shop' }
    const failed: DrillRecord = { ...drill, drilledAt: at(0), verdict: 'failed', reasons: ['Too slow.'] }
    await addDrill(database, failed, new Set([first.id]))
    await addDrill(database, { ...drill, drilledAt: at(9), verdict: 'passed', reasons: [] }, new Set([first.id]))
    await rebuildJournal(place.open(), repository)
    assert.equal((await rebuildJournal(place.open(), repository)).added, 0)
    const drills = await place.open().operations({ kind: 'drill' })
    assert.deepEqual(
      drills.map(({ startedAt, endedAt, outcome, message, figures }) => [
        startedAt,
        endedAt,
        outcome,
        message,
        figures,
      ]),
      [[Date.parse(at(9)), Date.parse(at(9)) + 1500, 'succeeded', undefined, { lsn: 1, recoveryMs: 1500 }]],
    )
  })

  it('that is older than what is kept stays out', async () => {
    using place = journalPlace()
    place.clock.time = Date.now() + 10_000
    const { repository } = await repositoryOfTwo()
    assert.equal((await rebuildJournal(place.open({ keepMs: 1000 }), repository)).added, 0)
  })

  it('without what cannot be read, which is named', async () => {
    using place = journalPlace()
    const { repository, second } = await repositoryOfTwo()
    const key = manifestKey('app', second)
    await repository.storage.put(key, Buffer.from('nonsense'))
    const { added, problems } = await rebuildJournal(place.open(), repository)
    assert.deepEqual([added, problems.map((problem) => problem.key)], [1, [key]])
  })
})
