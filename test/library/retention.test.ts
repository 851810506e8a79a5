import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BackupManager, hasCode, MemoryStorage } from '../../src/index.ts'
import { PageSource } from '../support/page-source.ts'

const day = 86_400_000

async function managed(retention?: Parameters<typeof BackupManager.open>[0]['retention']) {
  const source = new PageSource().fill(12, 1)
  const repository = new MemoryStorage()
  const backups = await BackupManager.open({ source, repository, init: true, retention })
  const start = Date.now() - 40 * day
  const ids: string[] = []
  for (let n = 0; n < 20; n += 1) {
    source.now = () => start + n * day
    source.change(1 + (n % 12), n)
    const { metadata } = n === 0 ? await backups.createFullBackup() : await backups.createIncrementalBackup()
    ids.push(metadata.id)
  }
  return { backups, ids, now: start + 19 * day }
}

describe('cleanupOldBackups', () => {
  it('applies the policy of the manager, or one that is given', async () => {
    const { backups, ids, now } = await managed({ last: 2, window: 0 })
    await using _ = backups
    const planned = await backups.cleanupOldBackups({ dryRun: true, now })
    assert.deepEqual(
      planned.keep.map(({ backup: { id } }) => id),
      ids.slice(-2),
    )
    const given = await backups.cleanupOldBackups({ dryRun: true, now, retention: { last: 5, window: 0 } })
    assert.equal(given.keep.length, 5)
    assert.equal((await backups.listBackups()).length, 20)
    const { waiting } = await backups.cleanupOldBackups({ now })
    assert.ok(waiting.length > 0)
    assert.deepEqual(
      (await backups.listBackups()).map(({ id }) => id),
      ids.slice(-2),
    )
    const { deleted } = await backups.cleanupOldBackups({ now: now + day })
    assert.equal(deleted.length, waiting.length)
    assert.ok((await backups.verify({ level: 'data' })).ok)
  })

  it('does not run for a mistyped option, which would have been a dry run', async () => {
    const { backups, ids, now } = await managed({ last: 2, window: 0 })
    await using _ = backups
    // As from JavaScript, where nothing checks it before.
    const mistyped: object = { dryrun: true, now }
    await assert.rejects(backups.cleanupOldBackups(mistyped), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(backups.compact(mistyped), (error) => hasCode(error, 'USAGE'))
    await assert.rejects(backups.deleteBackup(ids[19] ?? '', mistyped), (error) => hasCode(error, 'USAGE'))
    assert.equal((await backups.listBackups()).length, 20)
  })

  it('keeps 7 daily, 4 weekly, 12 monthly and 7 yearly backups if nothing is said, and what is pinned', async () => {
    const { backups, ids, now } = await managed()
    await using _ = backups
    await backups.pinBackup(ids[3] ?? '')
    const { keep } = await backups.cleanupOldBackups({ now, graceMs: 0 })
    assert.ok(keep.some(({ backup: { id }, reasons }) => id === ids[3] && reasons[0]?.rule === 'pinned'))
    assert.ok(keep.length > 8 && keep.length < 13, String(keep.length))
    assert.equal((await backups.getBackup(ids[3] ?? '')).pinned, true)
    assert.equal((await backups.unpinBackup(ids[3] ?? '')).changed, true)
  })

  it('goes on with backups as if nothing had been, and compacts', async () => {
    const { backups, now } = await managed({ last: 1, window: 0 })
    await using _ = backups
    await backups.cleanupOldBackups({ now, graceMs: 0 })
    await backups.createIncrementalBackup()
    assert.deepEqual((await backups.compact({ graceMs: 0 })).deleted, [])
    assert.ok((await backups.verify({ level: 'data' })).ok)
  })

  it('refuses a senseless policy at once', async () => {
    const options = { source: new PageSource(), repository: new MemoryStorage(), init: true }
    await assert.rejects(BackupManager.open({ ...options, retention: { last: -1 } }), (e) => hasCode(e, 'USAGE'))
    await assert.rejects(BackupManager.open({ ...options, retention: { last: 0 } }), (e) => hasCode(e, 'USAGE'))
  })
})
