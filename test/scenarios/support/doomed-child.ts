/** The process behind `doomed.ts`: waits for its task, does it, and tells what it finished. It is killed in the midst of it. */
import { createBackup } from '../../../src/backup/create-backup.ts'
import { toHoldfastError } from '../../../src/errors.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { restoreDatabase } from '../../../src/restore/restore-database.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import type { DoomedEvent, DoomedTask } from './doomed.ts'

const tell = (event: DoomedEvent) => process.send?.(event)

async function run(task: DoomedTask): Promise<void> {
  await using repository = await Repository.open(await openStorage(task.repository))
  if (task.kind === 'restore') {
    const { options } = task
    await restoreDatabase(repository.database('app'), options)
    tell({ done: options.targetPath })
    return
  }
  for (const options of task.backups) {
    const { metadata } = await createBackup(sqlite(task.path), repository, options)
    tell({ done: metadata.id })
  }
}

process.once('message', (task: DoomedTask) => {
  run(task)
    .catch((error: unknown) => {
      const { code, message, stack } = toHoldfastError(error)
      tell({ failed: `${code}: ${message}\n${stack}` })
    })
    .finally(() => process.disconnect())
})
tell({ ready: true })
