import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { pinBackup, unpinBackup } from '../../src/maintenance/pins/pin-backup.ts'
import { retentionKey } from '../../src/repository/layout.ts'
import { readRetention } from '../../src/repository/retention-record.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { day, KeptHistory } from './support/kept-history.ts'
import { followed } from './support/ten-days.ts'

const atOnce = { graceMs: 0 }

describe('pins', () => {
  it('keep a backup whatever the policy says, until they are taken away', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    assert.ok(oldest)
    assert.deepEqual((await pinBackup(database, oldest.id)).changed, true)
    assert.deepEqual((await pinBackup(database, oldest.id)).changed, false)
    const policy = { last: 1, window: 0 }
    const first = await expireDatabase(database, policy, { ...atOnce, now: history.time })
    assert.deepEqual(
      first.keep.map(({ backup }) => backup.lsn),
      [backups[0], backups.at(-1)],
    )
    assert.equal(first.keep[0]?.backup.pinned, true)
    await history.check(backups[0] ?? 0)
    assert.equal((await unpinBackup(database, oldest.id)).backup.pinned, false)
    const second = await expireDatabase(database, policy, { ...atOnce, now: history.time })
    assert.deepEqual(
      second.drop.map(({ backup, rule }) => [backup.id, rule]),
      [[oldest.id, 'no-rule']],
    )
    assert.deepEqual((await readRetention(database)).pins, {})
  })

  it('that are lost stop expiry and are found by verification, until somebody pins again or brings them back', async () => {
    const { history } = await followed()
    const database = await history.database()
    const { repository } = database
    const [oldest, another] = (await database.catalog()).backups
    assert.ok(oldest && another)
    await pinBackup(database, oldest.id)
    await verifyRepository(repository)
    const document = await collectBytes(history.storage.get(retentionKey('app')))
    await history.storage.delete(retentionKey('app'))
    const policy = { last: 1, window: 0 }
    const expire = () => expireDatabase(database, policy, { ...atOnce, now: history.time })
    for (const dryRun of [true, false])
      await assert.rejects(expireDatabase(database, policy, { ...atOnce, dryRun, now: history.time }), (error) => {
        assert.ok(hasCode(error, 'INTEGRITY') && /The pins of app are lost/.test(error.message), String(error))
        return true
      })
    const lost = await verifyRepository(repository, { level: 'metadata' })
    assert.deepEqual(
      lost.findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
      [[retentionKey('app'), []]],
    )
    await history.storage.put(retentionKey('app'), document)
    assert.ok((await verifyRepository(repository)).ok)
    await history.storage.delete(retentionKey('app'))
    await pinBackup(database, another.id)
    const { keep } = await expire()
    assert.equal(keep[0]?.backup.id, another.id)
    assert.ok((await verifyRepository(repository)).ok)
  })

  it('a snapshot has one from the start; unpinned it counts like any other', async () => {
    const history = await KeptHistory.make()
    await history.base(day)
    const snapshot = await history.backup(1, { type: 'snapshot' })
    await history.delta(day)
    await history.backup()
    const database = await history.database()
    const policy = { last: 1, window: 0 }
    const options = { dryRun: true, now: history.time }
    assert.equal((await expireDatabase(database, policy, options)).drop.length, 0)
    await unpinBackup(database, 'snapshot-1')
    assert.deepEqual(
      (await expireDatabase(database, policy, options)).drop.map(({ backup: { id } }) => id),
      [snapshot.id],
    )
    assert.equal((await database.catalog()).backups[0]?.pinned, false)
  })

  it('count also when they come while retention is at work', async () => {
    const { history, backups } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    let pinned = false
    const report = await expireDatabase(
      database,
      { last: 1, window: 0 },
      {
        ...atOnce,
        now: history.time,
        onProgress: ({ phase }) => {
          if (phase !== 'merge' || pinned) return
          pinned = true
          // The record is in memory: this is done before the run goes on to write it.
          void pinBackup(database, oldest?.id ?? '')
        },
      },
    )
    assert.deepEqual(
      report.keep.map(({ backup }) => backup.lsn),
      [backups[0], backups.at(-1)],
    )
    await history.check(backups[0] ?? 0)
  })

  it('cannot be set on a backup that is being dropped', async () => {
    const { history } = await followed()
    const database = await history.database()
    const [oldest] = (await database.catalog()).backups
    const refusals: unknown[] = []
    const pinning: Promise<unknown>[] = []
    await expireDatabase(
      database,
      { last: 1, window: 0 },
      {
        ...atOnce,
        now: history.time,
        onProgress: ({ phase, done }) => {
          if (phase === 'delete' && done === 0)
            pinning.push(pinBackup(database, oldest?.id ?? '').catch((error: unknown) => refusals.push(error)))
        },
      },
    )
    await Promise.all(pinning)
    assert.equal(refusals.length, 1)
    assert.ok(hasCode(refusals[0], 'BACKUP_NOT_FOUND'), String(refusals[0]))
  })
})
