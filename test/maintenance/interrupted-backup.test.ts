import assert from 'node:assert/strict'
import { it } from 'node:test'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { day, KeptHistory } from './support/kept-history.ts'

it('the newest commit that was followed outlives the window, also where an interrupted backup left a state after it', async () => {
  const history = await KeptHistory.make(6)
  const segment = await history.base()
  await history.backup(1, { type: 'full', segment })
  await history.log(4)
  const promised = history.lsn
  await history.delta()
  const options = { now: history.time + 9 * day, graceMs: 0 }
  await expireDatabase(await history.database(), { last: 1, window: day }, options)
  assert.ok((await history.reachable()).includes(promised))
  await history.check(promised)
})
