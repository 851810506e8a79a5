import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { seededRandom } from '../support/random.ts'
import { keepLog } from './support/pauses.ts'
import { Rig } from './support/rig.ts'

it('the backup that following goes on from is not deleted before something else tells of its state', async () => {
  const rig = await Rig.make()
  const random = seededRandom(5)
  rig.database.hasLog = false
  const repository = await Repository.open(rig.storage)
  const { metadata } = await createBackup(rig.database, repository, { type: 'full', database: 'app' })
  rig.database.hasLog = true
  const capture = await rig.follow(keepLog)
  const dryRun = () => deleteBackup(repository.database('app'), metadata.id, { dryRun: true, force: true })
  await assert.rejects(dryRun(), (error) => hasCode(error, 'BACKUP_NEEDED') && /followed/.test(error.message))
  const remove = () =>
    capture.exclusively((database, lease, signal) =>
      deleteBackup(database, metadata.id, { lease, force: true, signal }),
    )
  await assert.rejects(remove(), (error) => hasCode(error, 'BACKUP_NEEDED') && /following|followed/.test(error.message))
  rig.isAway = true
  for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
  await rig.until(() => capture.status.lsn >= 4)
  await capture.stop({ waitMs: 0 })
  rig.isAway = false
  await rig.freeLease()
  const next = await rig.follow(keepLog)
  await next.sync()
  assert.equal(rig.of('started').at(-1)?.how, 'resumed')
  assert.equal((await rig.check()).size, 4)
  await next.exclusively((database, lease, signal) =>
    deleteBackup(database, metadata.id, { lease, force: true, signal }),
  )
  await next.stop()
  assert.equal((await rig.check()).size, 4)
})
