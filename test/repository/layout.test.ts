import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toLsn } from '../../src/history/lsn.ts'
import {
  backupIdOfKey,
  databaseNameFrom,
  isDatabaseName,
  manifestKey,
  parseSegmentKey,
  segmentKey,
} from '../../src/repository/layout.ts'

const count = fc.integer({ min: 0, max: 2 ** 40 })

describe('object names', () => {
  it('say all of a segment', () => {
    fc.assert(
      fc.property(
        count,
        fc.integer({ min: 1, max: 1e6 }),
        count,
        count,
        fc.integer({ min: 1, max: 1e6 }),
        (from, length, time, span, epoch) => {
          const segment = {
            kind: from === 0 ? 'base' : 'delta',
            from: toLsn(from),
            to: toLsn(from + length),
            firstTime: time,
            lastTime: time + span,
            epoch,
          } as const
          const key = segmentKey('app', segment)
          assert.deepEqual(parseSegmentKey({ key, size: 7 }), { ...segment, key, bytes: 7 })
        },
      ),
    )
  })

  it('sort as their numbers do', () => {
    fc.assert(
      fc.property(count, count, (a, b) => {
        const key = (from: number) =>
          segmentKey('app', { kind: 'log', from: toLsn(from), to: toLsn(2 ** 41), firstTime: 0, lastTime: 0, epoch: 1 })
        assert.equal(Math.sign(a - b), key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
      }),
    )
  })

  it('that are no segment, or contradict themselves, are not taken for one', () => {
    const good = segmentKey('app', { kind: 'delta', from: toLsn(3), to: toLsn(4), firstTime: 5, lastTime: 6, epoch: 1 })
    const bad = [
      good.replace('-delta', '-base'),
      good.replace('-delta', '-other'),
      good.replace('.hfs', '.tmp'),
      good.replace('0000000000000004', '0000000000000003'),
      good.replace('0000000000000004', 'ffffffffffffffff'),
      good.replace('000000000006', '000000000004'),
      `${good}x`,
    ]
    for (const key of bad) assert.equal(parseSegmentKey({ key, size: 1 }), undefined, key)
  })

  it('of manifests hold the id', () => {
    const key = manifestKey('app', { capturedAt: '2026-11-21T04:05:06.007Z', type: 'full', id: 'abcdefghijk1' })
    assert.equal(key, 'databases/app/backups/20261121T040506007Z-full-abcdefghijk1.json')
    assert.equal(backupIdOfKey(key), 'abcdefghijk1')
    assert.equal(backupIdOfKey('databases/app/lease.json'), undefined)
  })

  it('of databases are made of any file name', () => {
    assert.equal(databaseNameFrom('app.db'), 'app')
    assert.equal(databaseNameFrom('Main Store.sqlite3'), 'Main-Store')
    assert.equal(databaseNameFrom('日本'), 'database')
    assert.equal(databaseNameFrom('.hidden.db'), 'hidden')
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => isDatabaseName(databaseNameFrom(name))))
  })
})
