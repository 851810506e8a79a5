import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../../src/backup/delete-backup.ts'
import { hasCode } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { testSeed } from '../../support/random.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, mirrorHistory } from './support/mirrored-history.ts'
import { WatchedStorage } from './support/watched-storage.ts'

const policy = { last: 2, daily: 2, window: day }

/** One day in the life of a repository. */
async function liveOn(history: KeptHistory): Promise<void> {
  const { random } = history
  const what = random.below(100)
  if (what < 35) await logMore(history)
  else if (what < 55) await history.delta(day)
  else if (what < 65) await history.backup(history.lsn, { type: 'full', segment: await history.base(day) })
  else if (what < 75) await expireDatabase(await history.database(), policy, { graceMs: hour, now: history.time })
  else if (what < 85) {
    const rollUp = { minSegments: 2, growth: 1 }
    await compactDatabase(await history.database(), { rollUp, graceMs: 0, limits: { maxChain: 3 }, now: history.time })
  } else if (what < 90) await deleteAny(history)
  const recent = (await history.reachable()).slice(-3)
  if (random.chance(50)) await history.backup(recent[random.below(recent.length)])
}

/** Some commits, and now and then the record that they were made while nobody looked. */
async function logMore(history: KeptHistory): Promise<void> {
  const { random, lsn: fromLsn, time: fromTime } = history
  await history.log(1 + random.below(6), random.below(3) * day + hour)
  const { lsn, time } = history
  if (random.chance(50))
    await (await history.database()).putPause({ fromLsn: toLsn(fromLsn), toLsn: toLsn(lsn), fromTime, toTime: time })
}

async function deleteAny(history: KeptHistory): Promise<void> {
  const database = await history.database()
  const { backups } = await database.catalog()
  const chosen = backups[history.random.below(backups.length)]
  if (chosen === undefined) return
  try {
    await deleteBackup(database, chosen.id, { now: history.time })
  } catch (error) {
    if (!hasCode(error, 'BACKUP_NEEDED')) throw error
  }
}

describe('a mirror of a repository that lives on', () => {
  for (const graceMs of [0, 3 * day]) {
    it(`is equal to it in the end, and can be restored from at every moment (grace ${graceMs / day} days)`, async () => {
      const seed = testSeed()
      console.log(`HOLDFAST_SEED=${seed}`)
      const history = await KeptHistory.make(seed)
      const mirror = new MemoryStorage()
      await history.base()
      let checked = 0
      const watched = new WatchedStorage(mirror, {
        onChange: async () => {
          if (history.random.chance(30)) checked += await checkMirror(history, mirror)
        },
      })
      for (let turn = 0; turn < 40; turn += 1) {
        await liveOn(history)
        if (!history.random.chance(40)) continue
        const report = await mirrorHistory(history, watched, { graceMs, maxDelete: 1000 })
        assert.deepEqual(report.findings, [])
        assert.deepEqual(report.heldBack, [])
        assert.deepEqual(report.missing, [])
        assert.ok(report.complete)
        if (graceMs === 0) assert.deepEqual(await contents(mirror), await contents(history.storage))
      }
      assert.ok(checked > 10, String(checked))
      await mirrorHistory(history, mirror, { graceMs, maxDelete: 1000 })
      const late = history.time + 4 * day
      await mirrorHistory(history, mirror, { graceMs, maxDelete: 1000, now: late })
      assert.deepEqual(await contents(mirror), await contents(history.storage))
      const again = await mirrorHistory(history, mirror, { graceMs, maxDelete: 1000, now: late })
      assert.deepEqual(again.copied, { objects: 0, bytes: 0 })
      assert.deepEqual([...again.deleted, ...again.waiting, ...again.missing], [])
    })
  }

  it('reads only what is new', async () => {
    const history = await KeptHistory.make(5)
    const mirror = new MemoryStorage()
    await history.backup(history.lsn + 1, { type: 'full', segment: await history.base() })
    await history.log(5)
    await mirrorHistory(history, mirror)
    const log = await history.log(3)
    const read: string[] = []
    const source = new WatchedStorage(history.storage, { onGet: (key) => void read.push(key) })
    const { mirrorTo } = await import('../../../src/maintenance/mirror/mirror-to.ts')
    const { Repository } = await import('../../../src/repository/repository.ts')
    const { copied } = await mirrorTo(await Repository.open(source), mirror, { now: history.time })
    assert.deepEqual(copied, { objects: 1, bytes: log.bytes })
    assert.deepEqual(
      read.filter((key) => key.startsWith('databases/')),
      [log.key, log.key],
    )
  })
})
