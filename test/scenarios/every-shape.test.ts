/** Databases of every page size and auto_vacuum mode, past 1 GiB, and as a killed writer leaves them: there and back. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { backup, DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CreateBackupOptions } from '../../src/backup/backup-options.ts'
import { createBackup } from '../../src/backup/create-backup.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { lockPage } from '../../src/util/lock-page.ts'
import { assertSamePages } from '../support/compare-databases.ts'
import { LoadTransaction } from '../support/load-transaction.ts'
import { checkOracle, createOracleDatabase, type OracleOptions } from '../support/oracle.ts'
import { type Random, seededRandom, testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { WriterProcess } from '../support/writer-process.ts'

const seed = testSeed()
type JournalMode = NonNullable<OracleOptions['journalMode']>
const journalModes: [JournalMode, ...JournalMode[]] = ['wal', 'delete', 'truncate', 'persist']

for (const pageSize of [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]) {
  test(`pages of ${pageSize} bytes, every auto_vacuum: full, incremental, snapshot and back`, async (t) => {
    t.diagnostic(`HOLDFAST_SEED=${seed}`)
    const random = seededRandom(seed + pageSize)
    for (const autoVacuum of ['none', 'full', 'incremental'] as const) {
      const journalMode = random.pick<JournalMode>(journalModes)
      await thereAndBack({ pageSize, autoVacuum, journalMode }, random)
    }
  })
}

async function thereAndBack(shape: OracleOptions, random: Random): Promise<void> {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path, shape)
  const repository = await Repository.init(new MemoryStorage())
  const chain: CreateBackupOptions[] = [{ type: 'full' }, { type: 'incremental' }, { type: 'snapshot', name: 'here' }]
  for (const [i, options] of chain.entries()) {
    commitSome(path, random)
    const { metadata } = await createBackup(sqlite(path), repository, options)
    const reference = folder.file(`reference-${i}.db`)
    {
      using database = new DatabaseSync(path, { readOnly: true })
      await backup(database, reference)
    }
    const targetPath = folder.file('restored.db')
    await restoreDatabase(repository.database('app'), {
      state: { by: 'lsn', lsn: metadata.lsn },
      targetPath,
      delta: random.chance(50),
      force: true,
    })
    assertSamePages(targetPath, reference, shape.pageSize ?? 4096)
    assert.equal(checkOracle(targetPath), checkOracle(path), JSON.stringify(shape))
  }
}

function commitSome(path: string, random: Random): void {
  using database = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  database.exec('PRAGMA synchronous = off; PRAGMA cache_size = 20')
  for (let i = 0; i < 12; i++) {
    database.exec('BEGIN IMMEDIATE')
    const transaction = new LoadTransaction(database, random, { path, seed })
    transaction.run()
    transaction.record()
    database.exec(random.chance(10) ? 'ROLLBACK' : 'COMMIT')
  }
  if (random.chance(40)) database.exec('VACUUM')
  if (random.chance(40)) database.exec('PRAGMA incremental_vacuum(50)')
}

test('a database past 1 GiB, over the lock page: full, incremental and back', { timeout: 240_000 }, async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  const pageSize = 65536
  {
    using database = new DatabaseSync(path)
    database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = off; PRAGMA synchronous = off;
      CREATE TABLE big (id INTEGER PRIMARY KEY, body BLOB); INSERT INTO big VALUES (1, zeroblob(530000000)), (2, zeroblob(545000000));
      CREATE TABLE small (id INTEGER PRIMARY KEY, body BLOB)`)
  }
  await using repository = await Repository.init(await openStorage(folder.file('repository')))
  const full = await createBackup(sqlite(path), repository, { type: 'full' })
  assert.ok(full.metadata.source.pageCount > lockPage(pageSize))
  assert.ok(full.metadata.pages < full.metadata.source.pageCount, 'the lock page is not stored')
  {
    using database = new DatabaseSync(path)
    database.exec('PRAGMA synchronous = off; INSERT INTO small SELECT id, randomblob(100000) FROM big')
  }
  const { metadata } = await createBackup(sqlite(path), repository, { type: 'incremental' })
  assert.ok(metadata.pages < 20, `${metadata.pages} pages for a small change`)
  const targetPath = folder.file('restored.db')
  await restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath, validation: 'quick' })
  await assertSameBytes(targetPath, path)
  await restoreDatabase(repository.database('app'), {
    state: { by: 'backup', id: full.metadata.id },
    targetPath,
    delta: true,
    validation: 'none',
  })
  using restored = new DatabaseSync(targetPath, { readOnly: true })
  assert.equal(restored.prepare('SELECT count(*) AS n FROM small').get()?.['n'], 0)
})

/** The lock page of a file that SQLite wrote is a hole: zeros, as it is after a restore. */
async function assertSameBytes(a: string, b: string): Promise<void> {
  const { size } = statSync(a)
  assert.equal(size, statSync(b).size)
  await using ofA = await open(a)
  await using ofB = await open(b)
  const [left, right] = [Buffer.alloc(4 * 1024 * 1024), Buffer.alloc(4 * 1024 * 1024)]
  for (let offset = 0; offset < size; offset += left.length) {
    const [{ bytesRead }] = await Promise.all([
      ofA.read(left, 0, left.length, offset),
      ofB.read(right, 0, right.length, offset),
    ])
    assert.ok(left.subarray(0, bytesRead).equals(right.subarray(0, bytesRead)), `they differ after byte ${offset}`)
  }
}

test('what a killed writer leaves is backed up as its last commit, with a hot journal or a log beside it', async (t) => {
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  for (const journalMode of journalModes) {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    createOracleDatabase(path, { journalMode })
    const repository = await Repository.init(new MemoryStorage())
    for (let round = 0; round < 4; round++) {
      const writers = [
        await WriterProcess.start({ path, seed: random.below(2 ** 32) }),
        await WriterProcess.start({ path, seed: random.below(2 ** 32) }),
      ]
      await sleep(random.below(250))
      await Promise.all(writers.map((writer) => writer.kill()))
      const { metadata } = await createBackup(sqlite(path), repository, { type: round === 0 ? 'full' : 'incremental' })
      const targetPath = folder.file('restored.db')
      const state = { by: 'backup', id: metadata.id } as const
      await restoreDatabase(repository.database('app'), { state, targetPath, force: true })
      assert.equal(checkOracle(targetPath), checkOracle(path), journalMode)
      if (journalMode !== 'wal') assert.ok(readFileSync(targetPath).equals(readFileSync(path)))
    }
  }
})
