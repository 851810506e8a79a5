/**
 * `kill -9` at random moments of backup and of restore. Afterwards what was acknowledged is there, the rest is absent or whole,
 * and the next command just works. HOLDFAST_SOAK_SECONDS lets it go on longer; HOLDFAST_SEED repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { CreateBackupOptions } from '../../src/backup/backup-options.ts'
import { createBackup } from '../../src/backup/create-backup.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import type { ValidationLevel } from '../../src/source/source.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { checkOracle, createOracleDatabase } from '../support/oracle.ts'
import { type Random, seededRandom, testSeed } from '../support/random.ts'
import { readState } from '../support/read-state.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { WriterProcess } from '../support/writer-process.ts'
import { DoomedProcesses } from './support/doomed.ts'
import { backupChains, SampleDatabase } from './support/sample-database.ts'

const seed = testSeed()
const soakMs = (Number(process.env['HOLDFAST_SOAK_SECONDS'] ?? 24) * 1000) / 3

for (const journalMode of ['wal', 'delete'] as const) {
  test(`backups of a live database (${journalMode}) that are killed at random moments`, async (t) => {
    t.diagnostic(`HOLDFAST_SEED=${seed}`)
    const random = seededRandom(seed)
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    createOracleDatabase(path, { journalMode })
    const location = folder.file('repository')
    await using repository = await Repository.init(await openStorage(location))
    const database = repository.database('app')
    await using writer = await WriterProcess.start({ path, seed })
    const acknowledged = new Set<string>()
    let kills = 0
    {
      await using doomed = new DoomedProcesses()
      for (const until = Date.now() + soakMs; Date.now() < until; ) {
        const task = { kind: 'backup', repository: location, path, backups: someBackups(random) } as const
        const { done, failed, killed } = await doomed.run(task, random.below(350))
        assert.equal(failed, undefined, 'the process after a killed one just works')
        if (killed) kills++
        for (const id of done) acknowledged.add(id)
        const { backups, problems } = await database.catalog()
        assert.deepEqual(problems, [])
        for (const id of acknowledged)
          assert.ok(
            backups.some((backup) => backup.id === id),
            `${id} was acknowledged`,
          )
      }
    }
    assert.ok(writer.isRunning, 'the application noticed nothing')
    const last = await writer.stop()
    assert.equal(checkOracle(path), last, 'the live database is unharmed')
    const { metadata } = await createBackup(sqlite(path), repository, { type: 'full' })
    assert.deepEqual(temporaryFiles(folder.path), [])
    assert.deepEqual((await verifyRepository(repository)).findings, [])
    const { backups } = await database.catalog()
    const target = folder.file('restored.db')
    for (const { id, lsn } of backups) {
      await restoreDatabase(database, { state: { by: 'backup', id }, targetPath: target, force: true })
      assert.ok(readFileSync(target).equals(await readState(database, lsn)), id)
      const seq = checkOracle(target)
      if (id === metadata.id) assert.equal(seq, last)
    }
    t.diagnostic(`${kills} kills, ${acknowledged.size} backups acknowledged, ${backups.length} whole`)
  })
}

/** Enough of them that the process hardly ends by itself. */
function someBackups(random: Random): CreateBackupOptions[] {
  return Array.from({ length: 8 }, (): CreateBackupOptions => {
    const type = random.pick(['full', 'incremental', 'snapshot'])
    if (type === 'full') return { type, busyTimeoutMs: 20_000 }
    // An incremental is refused while there is nothing to build on; a snapshot is not.
    return { type: 'snapshot', name: `snapshot-${random.below(2 ** 32)}`, busyTimeoutMs: 20_000 }
  })
}

test('restores that are killed at random moments leave exactly the old file or exactly the new one', async (t) => {
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  using folder = temporaryFolder()
  using targets = temporaryFolder()
  const location = folder.file('repository')
  await using repository = await Repository.init(await openStorage(location))
  const known = await backupChains(new SampleDatabase(folder.path, 'app', { rows: 6000 }), repository)
  const target = targets.file('restored.db')
  let standing: Buffer | undefined
  const outcomes = { old: 0, new: 0, killed: 0 }
  {
    await using doomed = new DoomedProcesses()
    for (const until = Date.now() + soakMs; Date.now() < until; ) {
      const wanted = known[random.below(known.length)]
      assert.ok(wanted)
      const options = {
        state: { by: 'backup', id: wanted.metadata.id },
        targetPath: target,
        force: true,
        delta: random.chance(50),
        validation: random.pick<ValidationLevel>(['none', 'quick', 'integrity']),
      } as const
      const { done, failed, killed } = await doomed.run(
        { kind: 'restore', repository: location, options },
        random.below(250),
      )
      assert.equal(failed, undefined, 'the process after a killed one just works')
      const found = settle(target)
      if (done.length > 0) assert.ok(found?.equals(wanted.image), 'an acknowledged restore is there')
      if (killed) outcomes.killed++
      if (found?.equals(wanted.image)) outcomes.new++
      else {
        assert.ok(
          found === standing || (standing !== undefined && found?.equals(standing)),
          'neither the old file nor the new one',
        )
        outcomes.old++
      }
      standing = found
    }
  }
  const [first] = known
  assert.ok(first)
  await restoreDatabase(repository.database('app'), { state: { by: 'latest' }, targetPath: target, force: true })
  assert.deepEqual(readdirSync(targets.path), ['restored.db'], 'the next restore cleans up')
  assert.deepEqual((await verifyRepository(repository)).findings, [])
  t.diagnostic(JSON.stringify(outcomes))
})

/** The file as any application finds it: SQLite rolls back what was half-done. */
function settle(target: string): Buffer | undefined {
  if (!existsSync(target)) return undefined
  {
    using database = new DatabaseSync(target)
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
  }
  return readFileSync(target)
}

function temporaryFiles(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => /\.tmp-|\.holdfast-/.test(name))
}
