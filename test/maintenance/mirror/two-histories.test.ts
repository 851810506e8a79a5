import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLsn } from '../../../src/history/lsn.ts'
import type { SegmentInfo, SegmentKind } from '../../../src/history/segment-info.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { storeCommits } from '../../support/log-history.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, copyInto, mirrorHistory } from './support/mirrored-history.ts'

/** What is stored after an LSN by somebody who knows nothing of the commits that came after it. */
async function anotherStory(history: KeptHistory, after: number, kind: SegmentKind): Promise<SegmentInfo> {
  const before = history.at(after)
  const pages = before.pages.map((page) => Uint8Array.from(page, (byte) => byte ^ 255))
  const commit = { lsn: toLsn(after + 1), time: before.time + 1, pages }
  return await storeCommits(await history.database(), kind === 'base' ? history.at(0) : before, [commit], kind, 512)
}

describe('a source that was set back, and written to since,', () => {
  for (const kind of ['base', 'delta', 'log'] as const) {
    it(`does not mix its history with that of the mirror (${kind})`, async () => {
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
      const other = await anotherStory(history, lsn, kind)
      const report = await mirrorHistory(history, mirror, { graceMs: 0 })
      assert.deepEqual([report.complete, report.findings[0]?.object, report.findings[0]?.side], [false, 'app', 'both'])
      assert.match(report.findings[0]?.problem ?? '', /two histories were written/)
      assert.equal(await mirror.head(other.key), undefined)
      assert.deepEqual(await contents(mirror), before)
      assert.equal(await checkMirror(history, mirror), 2)
      const elsewhere = new MemoryStorage({ name: `beside-${kind}` })
      assert.ok((await mirrorHistory(history, elsewhere)).complete)
    })
  }
})
