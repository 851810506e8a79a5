/** What expiry lets go is named first, and deleted later. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { openChain } from '../../src/repository/chain.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { retentionKey } from '../../src/repository/layout.ts'
import { noRetentionRecord, readRetention } from '../../src/repository/retention-record.ts'
import { storeCommits } from '../support/log-history.ts'
import { day, hour, KeptHistory } from './support/kept-history.ts'
import { followed } from './support/ten-days.ts'

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('the two steps of a deletion', () => {
  const policy = { last: 2, window: day }

  it('first name what is to go, and delete it when the time of grace has passed', async () => {
    const { history } = await followed()
    const database = await history.database()
    const first = await expireDatabase(database, policy, { now: history.time })
    assert.equal(first.deleted.length, 0)
    assert.ok(first.waiting.length > 10)
    const keys = await history.keys()
    for (const { key, until } of first.waiting) {
      assert.ok(keys.includes(key))
      assert.equal(until, history.time + day)
    }
    const early = await expireDatabase(database, policy, { now: history.time + 23 * hour })
    assert.deepEqual(early.deleted, [])
    const late = await expireDatabase(database, policy, { now: history.time + 24 * hour })
    const gone = new Set(late.deleted.map(({ key }) => key))
    for (const { key } of first.waiting) assert.ok(gone.has(key), key)
    assert.ok((await history.keys()).every((key) => !gone.has(key)))
    await history.check(history.lsn)
  })

  it('leave everything that a restore planned with until then', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const old = backups[2] ?? 0
    const plan = planRestore(await history.segments(), toLsn(old))
    await expireDatabase(database, policy, { now: history.time })
    await expireDatabase(database, policy, { now: history.time + 23 * hour })
    assert.equal((await openChain(database, plan)).links.length, plan.steps.length)
    await history.check(old)
  })

  it('are no way to what is kept: a backup is needed though what is in the trash would do instead', async () => {
    const history = await KeptHistory.make(8)
    await history.backup(1, { type: 'full', segment: await history.base() })
    const full = await history.backup(2, { type: 'full', segment: await history.base() })
    const last = await history.backup(3, { segment: await history.delta() })
    const database = await history.database()
    const detour = await storeCommits(database, history.at(1), [history.at(3)], 'delta', 512, 1)
    const trash = { [detour.key]: { since: new Date(history.time).toISOString() } }
    await writeDocument(database.storage, 'retention', retentionKey('app'), { ...noRetentionRecord, trash })
    await assert.rejects(deleteBackup(database, full.id, { force: true }), (error) => hasCode(error, 'BACKUP_NEEDED'))
    await history.check(last.lsn)
  })

  it('take back what is needed again', async () => {
    const history = await KeptHistory.make()
    const segment = await history.base(day)
    const old = await history.backup(history.lsn, { type: 'full', segment })
    const newer = await history.base(day)
    await history.backup(history.lsn, { type: 'full', segment: newer })
    const database = await history.database()
    const dropped = await expireDatabase(database, { last: 1, window: 0 }, { now: history.time })
    assert.deepEqual(
      dropped.waiting.map(({ key }) => key),
      [segment.key],
    )
    await database.putManifest(old)
    const kept = await expireDatabase(database, { last: 2, window: 0 }, { now: history.time + 9 * day })
    assert.deepEqual([kept.waiting, kept.deleted], [[], []])
    assert.deepEqual((await readRetention(database)).trash, {})
    await history.check(old.lsn)
  })

  it('are not hurried by a clock that was wrong when it was noted', async () => {
    const { history } = await followed()
    const database = await history.database()
    await expireDatabase(database, policy, { now: history.time + 400 * day })
    const back = await expireDatabase(database, policy, { now: history.time })
    assert.deepEqual(back.deleted, [])
    for (const { since } of back.waiting) assert.ok(since <= history.time)
    const next = await expireDatabase(database, policy, { now: history.time + day })
    assert.ok(next.deleted.length > 0)
  })
})

describe('what another writer’s takeover made void', () => {
  it('is cleared away, and never speaks again', async () => {
    const history = await KeptHistory.make()
    await history.base()
    await history.log(5, day)
    const fork = history.lsn
    await history.log(5, day, 2)
    const lost = await history.zombieLog(fork, 7, 1)
    await history.log(4, day, 2)
    await history.backup(history.lsn - 6)
    const database = await history.database()
    const policy = { last: 1, window: 0 }
    const first = await expireDatabase(database, policy, { now: history.time + day })
    assert.ok(first.waiting.some(({ key }) => key === lost.key))
    for (let n = 2; n < 6; n += 1) {
      await expireDatabase(database, policy, { now: history.time + n * day })
      await history.checkAll(await history.reachable())
    }
    assert.ok(!(await history.keys()).includes(lost.key))
    // The base, the kept state, and the newest log with the state that it starts from.
    assert.deepEqual(await history.reachable(), [1, history.lsn - 6, ...range(history.lsn - 4, history.lsn)])
  })
})
