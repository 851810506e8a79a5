/** What a restore does to the file it is told to make, and what it refuses. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { RestoreError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import type { RestoreOptions, RestoreResult } from '../../src/restore/restore-options.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { backupChains, type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const sources = temporaryFolder()
let repository: Repository
let known: KnownBackup[] = []

before(async () => {
  repository = await Repository.init(new MemoryStorage())
  known = await backupChains(new SampleDatabase(sources.path), repository)
})
after(() => sources[Symbol.dispose]())

const latest = { by: 'latest' } as const
const newestImage = () => known.at(-1)?.image ?? Buffer.alloc(0)
const oldestImage = () => known[0]?.image ?? Buffer.alloc(0)

const restore = (targetPath: string, options: Partial<RestoreOptions> = {}): Promise<RestoreResult> =>
  restoreDatabase(repository.database('app'), { state: latest, targetPath, ...options })

const refused =
  (...codes: ErrorCode[]) =>
  (error: unknown) =>
    error instanceof RestoreError && codes.includes(error.code)

describe('a restore to a new file', () => {
  it('writes the state, proves it and says what it did', async () => {
    using folder = temporaryFolder()
    const phases = new Set<string>()
    const result = await restore(folder.file('a.db'), { onProgress: ({ phase }) => phases.add(phase) })
    assert.ok(readFileSync(folder.file('a.db')).equals(newestImage()))
    assert.deepEqual(readdirSync(folder.path), ['a.db'])
    assert.equal(result.mode, 'create')
    assert.equal(result.plan.backup?.id, known.at(-1)?.metadata.id)
    assert.equal(result.pagesWritten, result.plan.pageCount)
    assert.equal(result.proof?.validation.level, 'integrity')
    assert.equal(result.proof?.factsMatch, true)
    assert.equal(result.proof?.tablesCompared, 2)
    assert.ok(result.bytesFetched > 0 && result.bytesFetched <= result.plan.estimate.bytesToFetch)
    assert.deepEqual([...phases], ['plan', 'fetch', 'prove', 'commit'])
  })

  it('needs its folder', async () => {
    using folder = temporaryFolder()
    await assert.rejects(restore(folder.file('no/such/folder/a.db')), refused('TARGET_FOLDER_MISSING'))
  })

  it('refuses a folder as its target', async () => {
    using folder = temporaryFolder()
    mkdirSync(folder.file('sub'))
    await assert.rejects(restore(folder.file('sub'), { force: true }), refused('USAGE'))
  })

  it('refuses a place where a folder has the name of a file that SQLite keeps beside a database', async () => {
    for (const name of ['a.db-wal', 'a.db-journal', 'a.db-shm']) {
      using folder = temporaryFolder()
      mkdirSync(folder.file(name))
      for (const options of [{}, { force: true }, { dryRun: true }])
        await assert.rejects(restore(folder.file('a.db'), options), refused('USAGE'))
      assert.deepEqual(readdirSync(folder.path), [name])
    }
  })

  it('removes the sidecars of a database that is no more', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('a.db-wal'), 'left by another database')
    writeFileSync(folder.file('a.db-journal'), 'left by another database')
    await restore(folder.file('a.db'))
    assert.deepEqual(readdirSync(folder.path), ['a.db'])
  })
})

describe('a restore over an existing file', () => {
  it('is refused without force or delta, and the file stays', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('a.db'), 'mine')
    await assert.rejects(restore(folder.file('a.db')), refused('TARGET_EXISTS'))
    assert.equal(readFileSync(folder.file('a.db'), 'utf8'), 'mine')
  })

  it('replaces it by force, whatever it was', async () => {
    for (const old of [oldestImage(), Buffer.from('no database'), Buffer.alloc(0)]) {
      using folder = temporaryFolder()
      writeFileSync(folder.file('a.db'), old, { mode: 0o640 })
      const { mode } = await restore(folder.file('a.db'), { force: true })
      assert.equal(mode, 'replace')
      assert.ok(readFileSync(folder.file('a.db')).equals(newestImage()))
      assert.equal(statSync(folder.file('a.db')).mode & 0o777, 0o640)
      assert.deepEqual(readdirSync(folder.path), ['a.db'])
    }
  })

  it('writes only the pages that differ with delta', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('a.db'), oldestImage())
    const some = await restore(folder.file('a.db'), { delta: true })
    assert.equal(some.mode, 'delta')
    assert.ok(
      some.pagesWritten > 0 && some.pagesWritten < some.plan.pageCount / 2,
      `${some.pagesWritten} pages written`,
    )
    assert.ok(readFileSync(folder.file('a.db')).equals(newestImage()))
    const none = await restore(folder.file('a.db'), { delta: true })
    assert.deepEqual([none.mode, none.pagesWritten, none.bytesFetched], ['delta', 0, 0])
  })

  it('replaces it with delta when it cannot serve', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('a.db'), 'no database')
    const { mode } = await restore(folder.file('a.db'), { delta: true })
    assert.equal(mode, 'replace')
    assert.ok(readFileSync(folder.file('a.db')).equals(newestImage()))
  })

  it('follows a symbolic link, which stays', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('real.db'), oldestImage())
    symlinkSync('real.db', folder.file('link.db'))
    await restore(folder.file('link.db'), { force: true })
    assert.ok(readFileSync(folder.file('real.db')).equals(newestImage()))
    assert.deepEqual(readdirSync(folder.path), ['link.db', 'real.db'])
  })

  for (const [journal, statement] of [
    ['wal', 'PRAGMA journal_mode = wal'],
    ['rollback', 'PRAGMA journal_mode = delete'],
  ] as const) {
    it(`is refused while another process uses it (${journal}), by any means`, async () => {
      using folder = temporaryFolder()
      writeFileSync(folder.file('a.db'), oldestImage())
      await using application = await SqlProcess.open(folder.file('a.db'))
      await application.query(statement, 'SELECT count(*) FROM orders')
      for (const options of [{ force: true }, { delta: true }])
        await assert.rejects(restore(folder.file('a.db'), options), refused('TARGET_LIVE'))
      const rows = await application.query(`INSERT INTO users VALUES (9999, 'still here') RETURNING id`)
      assert.deepEqual(
        rows.map(({ id }) => id),
        [9999],
      )
      await application.close()
      await restore(folder.file('a.db'), { force: true })
      assert.ok(readFileSync(folder.file('a.db')).equals(newestImage()))
    })
  }
})

describe('a dry run', () => {
  it('touches nothing and tells the plan', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('there.db'), 'mine')
    for (const name of ['new.db', 'there.db']) {
      const result = await restore(folder.file(name), {
        dryRun: true,
        force: true,
        checkCommand: `touch ${folder.file('ran')}`,
      })
      assert.equal(result.dryRun, true)
      assert.equal(result.plan.lsn, 5)
      assert.deepEqual([result.pagesWritten, result.proof], [0, undefined])
    }
    assert.deepEqual(readdirSync(folder.path), ['there.db'])
    assert.equal(readFileSync(folder.file('there.db'), 'utf8'), 'mine')
  })

  it('says what the restore would do to the target', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('there.db'), 'mine')
    const mode = async (name: string, how: { force?: boolean; delta?: boolean }) =>
      (await restore(folder.file(name), { dryRun: true, ...how })).mode
    assert.deepEqual(
      [
        await mode('new.db', {}),
        await mode('new.db', { force: true, delta: true }),
        await mode('there.db', { force: true }),
        await mode('there.db', { delta: true }),
      ],
      ['create', 'create', 'replace', 'delta'],
    )
  })

  it('fails where the restore would', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('there.db'), 'mine')
    const refuse = (name: string, code: ErrorCode) =>
      assert.rejects(restore(folder.file(name), { dryRun: true }), refused(code))
    await refuse('there.db', 'TARGET_EXISTS')
    await refuse('no/such/folder.db', 'TARGET_FOLDER_MISSING')
    for (const sidecar of ['app.db-wal', 'app.db-shm', 'app.db-journal']) await refuse(sidecar, 'USAGE')
  })
})

describe("the user's own check", () => {
  it('sees the proved file, and its success is part of the result', async () => {
    using folder = temporaryFolder()
    const checkCommand = `head -c 15 "$1"; test "$1" = "$HOLDFAST_RESTORED_FILE"`
    const { proof } = await restore(folder.file('a.db'), { checkCommand })
    assert.equal(proof?.command?.output, 'SQLite format 3')
  })

  it('says no: the old file stays, and what it printed is told', async () => {
    for (const delta of [false, true]) {
      using folder = temporaryFolder()
      writeFileSync(folder.file('a.db'), oldestImage())
      const failing = restore(folder.file('a.db'), { force: true, delta, checkCommand: 'echo too few orders; exit 3' })
      await assert.rejects(failing, (error) => {
        assert.ok(error instanceof RestoreError && error.code === 'CHECK_COMMAND_FAILED')
        assert.match(error.message, /too few orders/)
        return true
      })
      assert.ok(readFileSync(folder.file('a.db')).equals(oldestImage()))
      assert.deepEqual(readdirSync(folder.path), ['a.db'])
    }
  })
})

describe('a restore that is cancelled', () => {
  for (const wanted of ['plan', 'fetch', 'prove', 'commit']) {
    it(`in its phase "${wanted}" leaves the old file`, async () => {
      using folder = temporaryFolder()
      for (const delta of [false, true]) {
        writeFileSync(folder.file('a.db'), oldestImage())
        const controller = new AbortController()
        const options = {
          force: true,
          delta,
          signal: controller.signal,
          onProgress: ({ phase, done }: { phase: string; done: number }) => {
            if (phase === wanted && done === 0) controller.abort()
          },
        }
        const outcome = await restore(folder.file('a.db'), options).then(
          () => 'done',
          (error: unknown) => error,
        )
        // Once it is being put in place there is no way back: then it must be finished.
        if (outcome === 'done') assert.equal(wanted, 'commit')
        else assert.ok(refused('ABORTED')(outcome), String(outcome))
        assert.ok(readFileSync(folder.file('a.db')).equals(outcome === 'done' ? newestImage() : oldestImage()))
        assert.deepEqual(readdirSync(folder.path), ['a.db'])
      }
    })
  }
})

/** A row that an index has otherwise: `quick_check` passes over it. */
function hideFromIndex(path: string): void {
  const withSchema = (sql: string) => {
    using database = new DatabaseSync(path)
    database.enableDefensive(false)
    database.exec(`PRAGMA writable_schema = 1; ${sql}`)
  }
  const entry = `type = 'index' AND name = 'orders_by_user'`
  withSchema(
    `CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE ${entry}; DELETE FROM sqlite_schema WHERE ${entry}`,
  )
  withSchema('UPDATE orders SET user = 2 WHERE id = 7')
  withSchema('INSERT INTO sqlite_schema SELECT * FROM kept')
  withSchema('DROP TABLE kept')
}

describe('the proof of a restored file', () => {
  it('is as thorough as wanted', async () => {
    for (const validation of ['none', 'quick', 'integrity'] as const) {
      using folder = temporaryFolder()
      const { proof } = await restore(folder.file('a.db'), { validation })
      assert.equal(proof?.validation.level, validation)
      assert.equal(proof?.factsMatch, true, 'schema and rows are compared at every level')
    }
  })

  it('takes foreign key violations of the time of the backup for what they are', async () => {
    using folder = temporaryFolder()
    const database = new SampleDatabase(folder.path, 'broken-keys').run(
      'INSERT INTO orders VALUES (999999, 777777, NULL)',
    )
    const own = await Repository.init(new MemoryStorage())
    const { metadata, image } = await database.backup(own, { type: 'full', allowDamaged: true })
    assert.equal(metadata.validation.foreignKeyViolations, 1)
    const target = folder.file('restored.db')
    const { proof, warnings } = await restoreDatabase(own.database('broken-keys'), {
      state: latest,
      targetPath: target,
    })
    assert.ok(readFileSync(target).equals(image))
    assert.equal(proof?.validation.foreignKeyViolations, 1)
    assert.match(warnings.join(), /failed its checks/)
  })

  it('brings a damaged database back as it was, with a warning, when it was kept on purpose', async () => {
    using folder = temporaryFolder()
    const database = new SampleDatabase(folder.path, 'damaged')
    const sane = database.image()
    writeFileSync(database.path, sane.fill(0x5a, sane.length - 1024, sane.length - 900))
    const own = await Repository.init(new MemoryStorage())
    const { metadata, image } = await database.backup(own, {
      type: 'full',
      allowDamaged: true,
      validation: 'integrity',
    })
    assert.equal(metadata.damaged, true)
    const target = folder.file('restored.db')
    const { warnings } = await restoreDatabase(own.database('damaged'), { state: latest, targetPath: target })
    assert.ok(readFileSync(target).equals(image))
    assert.match(warnings.join(), /failed its checks/)
  })

  for (const [how, damage] of [
    ['whose schema makes no sense', (bytes: Buffer) => bytes.fill(0x5a, 700, 900)],
    ['that was cut short', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2 / 1024) * 1024)],
    ['that ends in noise', (bytes: Buffer) => bytes.fill(0x5a, bytes.length - 3000)],
  ] as const) {
    for (const backedUpAt of ['quick', 'none'] as const) {
      it(`brings a database back ${how}, backed up with validation ${backedUpAt}`, async () => {
        using folder = temporaryFolder()
        const database = new SampleDatabase(folder.path, 'damaged')
        writeFileSync(database.path, damage(database.image()))
        const own = await Repository.init(new MemoryStorage())
        const { image } = await database.backup(own, { type: 'full', allowDamaged: true, validation: backedUpAt })
        for (const validation of ['integrity', 'quick', 'none'] as const) {
          const targetPath = folder.file(`${validation}.db`)
          const options = { state: latest, targetPath, validation }
          const { warnings, proof } = await restoreDatabase(own.database('damaged'), options)
          assert.ok(readFileSync(targetPath).equals(image))
          assert.equal(proof?.factsMatch, true, 'it is read as it was read at backup')
          if (validation !== 'none' || backedUpAt !== 'none') assert.ok(warnings.length > 0)
        }
      })
    }
  }

  it('puts a database in place whose damage its backup did not look deep enough to see, with a warning', async () => {
    using folder = temporaryFolder()
    const database = new SampleDatabase(folder.path, 'subtle')
    hideFromIndex(database.path)
    const own = await Repository.init(new MemoryStorage())
    const { metadata, image } = await database.backup(own, { type: 'full' })
    assert.deepEqual([metadata.damaged, metadata.validation.level], [false, 'quick'])
    const target = folder.file('restored.db')
    const { warnings, proof } = await restoreDatabase(own.database('subtle'), { state: latest, targetPath: target })
    assert.ok(readFileSync(target).equals(image))
    assert.match(warnings.join(), /backed-up database itself has this damage.*missing from index/)
    assert.equal(proof?.validation.ok, false)
  })

  it('does not hold foreign key violations against a backup that did not count them', async () => {
    using folder = temporaryFolder()
    const database = new SampleDatabase(folder.path, 'uncounted').run(
      'INSERT INTO orders VALUES (999999, 777777, NULL)',
    )
    const own = await Repository.init(new MemoryStorage())
    const { image } = await database.backup(own, { type: 'full', validation: 'none' })
    const target = folder.file('restored.db')
    const { warnings } = await restoreDatabase(own.database('uncounted'), { state: latest, targetPath: target })
    assert.ok(readFileSync(target).equals(image))
    assert.match(warnings.join(), /1 foreign key violation/)
  })

  it('passes databases with full-text and R-tree tables, views, triggers, generated columns and an odd encoding', async () => {
    using folder = temporaryFolder()
    const database = new SampleDatabase(folder.path, 'odd', { rows: 20 }).run(`
      CREATE VIRTUAL TABLE docs USING fts5(body); INSERT INTO docs VALUES ('one'), ('two');
      CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES (1, 0, 1);
      CREATE VIEW v AS SELECT count(*) FROM users; CREATE TABLE "quo""ted" (a, b AS (a * 2) STORED) ;
      CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO docs VALUES (new.name); END;
      CREATE TABLE counters (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counters DEFAULT VALUES; PRAGMA user_version = 7`)
    const own = await Repository.init(new MemoryStorage())
    const { image } = await database.backup(own, { type: 'full' })
    const target = folder.file('restored.db')
    const { proof } = await restoreDatabase(own.database('odd'), { state: latest, targetPath: target })
    assert.ok(readFileSync(target).equals(image))
    assert.ok((proof?.tablesCompared ?? 0) > 8)
  })

  it('passes the empty database', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('empty.db'), '')
    const own = await Repository.init(new MemoryStorage())
    await createBackup(sqlite(folder.file('empty.db')), own, { type: 'full' })
    await restoreDatabase(own.database('empty'), { state: latest, targetPath: folder.file('restored.db') })
    assert.equal(statSync(folder.file('restored.db')).size, 0)
    writeFileSync(folder.file('full.db'), oldestImage())
    await restoreDatabase(own.database('empty'), { state: latest, targetPath: folder.file('full.db'), delta: true })
    assert.equal(statSync(folder.file('full.db')).size, 0)
    assert.equal(existsSync(folder.file('full.db-journal')), false)
  })
})
