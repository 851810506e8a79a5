/** Merging what does not compress: there, blocks are used where they were read, and from some 16 MiB on their memory is used again. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { restoreToMemory } from '../scenarios/support/memory-restore.ts'
import { PageSource } from '../support/page-source.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

for (const last of [1, 2]) {
  it(`random pages in a folder come through a merge as they were (the last ${last} kept)`, async () => {
    const seed = testSeed()
    console.log(`HOLDFAST_SEED=${seed}`)
    const random = seededRandom(seed)
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.file('backups'))
    const repository = await Repository.init(storage)
    const source = new PageSource()
    source.pageSize = 4096
    source.pages = Array.from({ length: 6000 }, () => random.bytes(4096))
    const start = Date.now() - 86_400_000
    const images: Buffer[] = []
    for (let n = 0; n < 4; n += 1) {
      source.now = () => start + n * 1000
      for (let page = 0; page < source.pages.length; page += 1) source.pages[page] = random.bytes(4096)
      await createBackup(source, repository, { type: n === 0 ? 'full' : 'incremental' })
      images.push(source.image())
    }
    const database = repository.database('app')
    const report = await expireDatabase(database, { last, window: 0 }, { graceMs: 0, limits: { minBytes: 1 } })
    assert.ok(report.merged.length > 0 && report.deleted.length > 0)
    for (const { backup } of report.keep)
      assert.ok(
        (await restoreToMemory(database, { by: 'backup', id: backup.id })).equals(
          images[backup.lsn - 1] ?? Buffer.of(),
        ),
      )
  })
}
