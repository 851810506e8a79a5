/** What waits in the spool has the epoch of the lease under which it was captured; what follows it must not have a lower one. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { writeDocument } from '../../src/repository/documents.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { leaseState } from '../../src/repository/lease.ts'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

it('what is captured after the lease was lost is not void beside what waited in the spool', async () => {
  const rig = await Rig.make()
  const random = seededRandom(71)
  const first = await rig.follow()
  rig.database.commitRandom(random)
  await first.sync()
  await first.stop()
  // As takeovers leave it that wrote nothing.
  const taken = { ...(await leaseState(await rig.repository()))?.document, epoch: 3 }
  await writeDocument(rig.storage, 'lease', leaseKey('app'), taken)
  const second = await rig.follow()
  rig.isAway = true
  rig.database.commitRandom(random)
  await rig.until(() => second.status.waiting.segments > 0)
  await second.stop({ waitMs: 0 })
  rig.isAway = false
  await rig.storage.delete(leaseKey('app'))
  const third = await rig.follow()
  rig.database.commitRandom(random)
  await third.sync()
  await third.stop()
  const { segments } = await (await rig.repository()).catalog()
  assert.deepEqual(
    segments.map(({ epoch }) => epoch),
    [1, 1, 3, 4],
  )
  assert.deepEqual([...(await rig.check()).values()], [1, 2, 3, 4])
  assert.deepEqual(rig.of('gap'), [])
})
