import assert from 'node:assert/strict'
import { it } from 'node:test'
import { toLsn } from '../../src/history/lsn.ts'
import { unknownBefore } from '../../src/restore/unknown-before.ts'
import { day, hour, KeptHistory } from '../maintenance/support/kept-history.ts'

it('a last state before a moment that nothing is known of is told where a database is followed, and only there', async () => {
  const history = await KeptHistory.make()
  const database = await history.database()
  const said = async (time: number, before = true) =>
    unknownBefore(await database.catalog(), { by: 'time', time, before })
  await history.base()
  await history.backup()
  await history.delta(day)
  await history.backup()
  assert.equal(await said(history.time - hour), undefined, 'between two backups')

  await history.log(4, hour)
  const { lsn, time } = history
  assert.equal(await said(time - 1), undefined, 'within a log')
  await history.log(3, day)
  const gap = { fromLsn: toLsn(lsn), toLsn: toLsn(history.lsn), fromTime: time, toTime: history.time }
  await database.putPause(gap)
  assert.match((await said(time + 1)) ?? '', new RegExp(`LSN ${lsn} is the newest state that is known before it`))
  assert.equal(await said(time + 1, false), undefined, 'such a moment is refused')
  assert.equal(await said(time), undefined)
  await history.log(1, hour)
  assert.equal(await said(history.time), undefined)
})

it('an LSN before which a state is wanted, and that the history has not reached, is told', async () => {
  const history = await KeptHistory.make()
  const database = await history.database()
  const said = async (lsn: number, before = true) => unknownBefore(await database.catalog(), { by: 'lsn', lsn, before })
  await history.base()
  await history.log(4, hour)
  await history.backup()
  const { lsn } = history
  assert.match((await said(lsn + 2)) ?? '', new RegExp(`^No LSN ${lsn + 2} .*: LSN ${lsn} is the newest\\.`))
  assert.equal(await said(lsn + 2, false), undefined, 'such an LSN is refused')
  assert.equal(await said(lsn + 1), undefined, 'the one before it is the newest')
  assert.equal(await said(lsn), undefined)
})
