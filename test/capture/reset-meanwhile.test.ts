import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { imageAt } from './support/check-history.ts'

it('a log that was reset while nobody followed is gone on with: no gap, and every commit can be restored', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (n, x)')
  await using repository = await Repository.init(new MemoryStorage())
  const events: CaptureEvent[] = []
  const follow = () =>
    followDatabase(sqlite(path), repository, {
      stateFolder: folder.file('state'),
      syncIntervalMs: 20,
      onEvent: (event) => events.push(event),
    })
  let count = 0
  const commit = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      count += 1
      await application.query(`INSERT INTO t VALUES (${count}, hex(randomblob(500)))`)
    }
  }
  const first = await follow()
  await commit(20)
  await first.sync()
  await first.stop()
  await commit(3)
  await application.query('PRAGMA wal_checkpoint(PASSIVE)')
  await commit(2)
  const again = await follow()
  await commit(4)
  const last = await again.sync()
  await again.stop()

  const starts = events.flatMap((event) => (event.kind === 'started' ? event.how : []))
  assert.deepEqual(starts, ['first', 'resumed'])
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'gap'),
    [],
  )
  const database = repository.database('app')
  const { segments } = await database.catalog()
  for (let before = 0; before < 9; before += 1) {
    const lsn = toLsn(last - before)
    const copy = folder.file(`${lsn}.db`)
    writeFileSync(copy, await imageAt(database, lsn, segments))
    using restored = new DatabaseSync(copy)
    const row = restored.prepare('SELECT max(n) AS newest, count(*) AS rows FROM t').get()
    assert.deepEqual({ ...row }, { newest: count - before, rows: count - before })
  }
})
