/** Nobody takes over a lease that is held; but a person may delete its document. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { reachableLsns } from '../../src/history/reachable.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { seededRandom } from '../support/random.ts'
import { imageAt } from './support/check-history.ts'
import { Rig } from './support/rig.ts'

it('a capture that stops after its lease was taken says so, and the next begins with what is there', async () => {
  const rig = await Rig.make()
  const random = seededRandom(72)
  const first = await rig.follow()
  rig.database.commitRandom(random)
  await first.sync()
  await rig.storage.delete(leaseKey('app'))
  const { repository } = await rig.repository()
  await createBackup(rig.database, repository, { type: 'full' })
  rig.database.commitRandom(random)
  await first.sync()
  await first.stop()
  await assert.rejects(first.done, (error) => hasCode(error, 'LEASE_LOST'))

  const second = await rig.follow()
  await second.sync()
  await second.stop()
  await second.done
  const database = await rig.repository()
  const { segments } = await database.catalog()
  const newest = reachableLsns(segments).at(-1)?.last ?? assert.fail('Nothing can be restored.')
  assert.deepEqual(await imageAt(database, newest, segments), rig.database.truth.get(rig.database.seq))
})
