import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { assertSamePages } from '../support/compare-databases.ts'
import { createOracleDatabase } from '../support/oracle.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'
import { WriterProcess } from '../support/writer-process.ts'

/** With its writers stopped at a random moment, SQLite's own backup of a database is of the very state that we read. */
test('a snapshot equals the backup that SQLite makes at the same moment, page for page', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  const autoVacuums = ['none', 'full', 'incremental'] as const
  for (const [index, pageSize] of [512, 1024, 4096, 65536].entries()) {
    for (const journalMode of ['wal', 'delete'] as const) {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      createOracleDatabase(path, { pageSize, journalMode, autoVacuum: autoVacuums[index % 3] ?? 'none' })
      await using writer = await WriterProcess.start({ path, seed: random.below(2 ** 32) })
      let compared = 0
      while (compared < 4) {
        await new Promise((resolve) => setTimeout(resolve, random.below(60)))
        writer.pause()
        if (await compareNow(path, folder.file('copy.db'), folder.file('backup.db'))) compared++
        writer.resume()
      }
    }
  }
})

/** False if the writer was stopped while it kept the database locked. */
async function compareNow(path: string, copy: string, reference: string): Promise<boolean> {
  let pageSize: number
  try {
    await using snapshot = await sqlite(path).openSnapshot({ busyTimeoutMs: 0 })
    await writeSnapshot(snapshot, copy)
    pageSize = snapshot.pageSize
  } catch (thrown) {
    // Stopped while it switches between logs, or while it holds an exclusive lock.
    assert(hasCode(thrown, 'DATABASE_BUSY', 'DATABASE_UNSUPPORTED'), String(thrown))
    return false
  }
  rmSync(reference, { force: true })
  using database = new DatabaseSync(path, { readOnly: true })
  await backup(database, reference)
  assertSamePages(copy, reference, pageSize)
  return true
}
