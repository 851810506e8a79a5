import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { growthByDay } from '../../src/repository/growth.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { segment } from '../history/support/segments.ts'
import { PageSource } from '../support/page-source.ts'

const catalog = (segments: readonly SegmentInfo[]) => ({
  database: 'app',
  segments,
  backups: [],
  gaps: [],
  pauses: [],
  problems: [],
})
const on = (text: string) => ({ firstTime: Date.parse(text), lastTime: Date.parse(text) })

describe('growth by day', () => {
  it('sums the segments by the day of their end, in UTC, of backups and of logs', () => {
    const days = growthByDay(
      catalog([
        segment('base', 0, 1, { ...on('2026-11-19T23:59:59.999Z'), bytes: 1000 }),
        segment('log', 1, 8, { ...on('2026-11-20T00:00:00.000Z'), bytes: 30 }),
        segment('log', 8, 9, { ...on('2026-11-20T10:00:00.000Z'), bytes: 4 }),
        segment('delta', 9, 10, { ...on('2026-11-22T10:00:00.000Z'), bytes: 200 }),
      ]),
    )
    assert.deepEqual(
      days.map(({ day, commits, bytes, logBytes, totalBytes }) => [day, commits, bytes, logBytes, totalBytes]),
      [
        ['2026-11-19', 0, 1000, 0, 1000],
        ['2026-11-20', 8, 34, 34, 1034],
        ['2026-11-22', 0, 200, 0, 1234],
      ],
    )
  })

  it('counts backups, and follows the size of the database', async () => {
    const repository = await Repository.init(new MemoryStorage())
    const source = new PageSource()
    for (const [pages, time] of [
      [10, '2026-11-19T10:00:00.000Z'],
      [20, '2026-11-19T11:00:00.000Z'],
      [30, '2026-11-21T10:00:00.000Z'],
    ] as const) {
      source.fill(pages, 1).now = () => Date.parse(time)
      await createBackup(source, repository, { type: pages === 10 ? 'full' : 'incremental' })
    }
    const found = await repository.database('app').catalog()
    const days = growthByDay(found)
    assert.deepEqual(
      days.map(({ day, backups, databaseBytes }) => [day, backups, databaseBytes]),
      [
        ['2026-11-19', 2, 20 * source.pageSize],
        ['2026-11-21', 1, 30 * source.pageSize],
      ],
    )
    assert.equal(
      days.at(-1)?.totalBytes,
      found.segments.reduce((sum, { bytes }) => sum + bytes, 0),
    )
  })

  it('of nothing is nothing', () => {
    assert.deepEqual(growthByDay(catalog([])), [])
  })
})
