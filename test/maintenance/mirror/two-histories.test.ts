import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../../src/backup/delete-backup.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import type { SegmentInfo, SegmentKind } from '../../../src/history/segment-info.ts'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { readRetention } from '../../../src/repository/retention-record.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { restoreToMemory } from '../../scenarios/support/memory-restore.ts'
import { storeCommits } from '../../support/log-history.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, copyInto, mirrorHistory } from './support/mirrored-history.ts'

/** What is stored after an LSN by somebody who knows nothing of the commits that came after it. */
async function anotherStory(
  history: KeptHistory,
  after: number,
  kind: SegmentKind,
  epoch: number,
): Promise<SegmentInfo> {
  const before = history.at(after)
  const pages = before.pages.map((page) => Uint8Array.from(page, (byte) => byte ^ 255))
  const commit = { lsn: toLsn(after + 1), time: before.time + 1, pages }
  return await storeCommits(
    await history.database(),
    kind === 'base' ? history.at(0) : before,
    [commit],
    kind,
    512,
    epoch,
  )
}

describe('a source that was set back, and written to since,', () => {
  for (const [kind, epoch] of [
    ['base', 1],
    ['delta', 1],
    ['log', 1],
    ['log', 2],
  ] as const) {
    it(`does not mix its history with that of the mirror (${kind} of epoch ${epoch})`, async () => {
      const history = await KeptHistory.make(7)
      await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
      await history.log(3, hour)
      const mirror = new MemoryStorage()
      await mirrorHistory(history, mirror)
      const { lsn } = history
      const earlier = new MemoryStorage()
      await copyInto(history.storage, earlier)
      await history.backup((await history.log(3)).to)
      await mirrorHistory(history, mirror)
      const before = await contents(mirror)
      await copyInto(earlier, history.storage)
      const other = await anotherStory(history, lsn, kind, epoch)
      const report = await mirrorHistory(history, mirror, { graceMs: 0 })
      assert.deepEqual([report.complete, report.findings[0]?.object, report.findings[0]?.side], [false, 'app', 'both'])
      assert.match(report.findings[0]?.problem ?? '', /two histories were written/)
      assert.equal(await mirror.head(other.key), undefined)
      assert.deepEqual(await contents(mirror), before)
      assert.equal(await checkMirror(history, mirror), 2)
      const elsewhere = new MemoryStorage({ name: `beside-${kind}-${epoch}` })
      assert.ok((await mirrorHistory(history, elsewhere)).complete)
    })
  }
})

describe('what a writer stored that had lost its lease', () => {
  it('is no second history, though the source let go of it longer ago than it remembers', async () => {
    const history = await KeptHistory.make(7)
    await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
    await history.log(3, hour)
    const zombie = await history.zombieLog(history.lsn, 4, 1)
    for (let count = 0; count < 3; count += 1) await history.log(2, hour, 2)
    const mirror = new MemoryStorage()
    assert.ok((await mirrorHistory(history, mirror)).complete)
    const upkeep = () => ({ rollUp: { minSegments: 2, growth: 1 }, graceMs: 0, now: history.time })
    await compactDatabase(await history.database(), upkeep())
    await history.log(1, 31 * day, 2)
    const { id } = await history.backup()
    await history.log(1, hour, 2)
    await deleteBackup(await history.database(), id, { force: true, now: history.time })
    await compactDatabase(await history.database(), upkeep())
    const { deleted } = await readRetention(await history.database())
    assert.ok(!(await history.keys()).includes(zombie.key))
    assert.equal(deleted[zombie.key], undefined)
    const report = await mirrorHistory(history, mirror)
    assert.deepEqual(report.findings, [])
    assert.deepEqual(report.missing, [zombie.key])
    await checkMirror(history, mirror)
    const database = await history.database(mirror)
    for (const lsn of await history.reachable()) {
      const image = await restoreToMemory(database, { by: 'lsn', lsn })
      assert.ok(image.equals(Buffer.concat(history.at(lsn).pages)), `LSN ${lsn}`)
    }
  })
})
