import assert from 'node:assert/strict'
import { it } from 'node:test'
import { listRestorePoints } from '../../src/restore/restore-points.ts'
import { hour, KeptHistory } from '../maintenance/support/kept-history.ts'

it('backups whose states lie inside a merged log are among the restore points', async () => {
  const history = await KeptHistory.make()
  await history.base()
  const { lsn: first } = history
  await history.log(6, hour)
  const { id } = await history.backup(first + 3, { type: 'snapshot' })
  const database = await history.database()
  const { points } = await listRestorePoints(database)
  assert.deepEqual(
    points.map(({ lsn, backups }) => [lsn, backups.map((backup) => backup.id)]),
    [[first + 3, [id]]],
  )
  assert.equal(points[0]?.time, history.at(first + 3).time)
  const { points: none } = await listRestorePoints(database, { from: history.at(first + 4).time })
  assert.deepEqual(none, [])
})
