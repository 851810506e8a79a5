import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import type { SegmentInfo } from '../../src/history/segment-info.ts'
import { growthByDay } from '../../src/repository/growth.ts'
import { Repository } from '../../src/repository/repository.ts'
import { getBackupStats } from '../../src/repository/stats.ts'
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

describe('growth from backup to backup', () => {
  it('counts what was followed too, up to each backup and up to the newest state', async () => {
    const repository = await Repository.init(new MemoryStorage())
    const source = new PageSource().fill(10, 1)
    const { metadata: first } = await createBackup(source, repository, { type: 'full' })
    const { metadata: second } = await createBackup(source.change(1, 2), repository, { type: 'incremental' })
    const found = await repository.database('app').catalog()
    const log = (from: number, to: number, bytes: number) =>
      segment('log', from, to, { ...on('2036-11-20T10:00:00.000Z'), bytes })
    const stored = first.storedBytes + second.storedBytes
    const times = [first, second].map(({ capturedAt }) => Date.parse(capturedAt))

    const between = { ...found, segments: [log(first.lsn, second.lsn, 500), ...found.segments] }
    assert.deepEqual(getBackupStats(between).growth, [
      { time: times[0], storedBytes: first.storedBytes },
      { time: times[1], storedBytes: stored + 500 },
    ])

    const beyond = { ...found, segments: [...found.segments, log(second.lsn, second.lsn + 4, 700)] }
    const { growth, storedBytes } = getBackupStats(beyond)
    assert.deepEqual(growth.slice(1), [
      { time: times[1], storedBytes: stored },
      { time: Date.parse('2036-11-20T10:00:00.000Z'), storedBytes: stored + 700 },
    ])
    assert.equal(storedBytes, stored + 700)
  })
})
