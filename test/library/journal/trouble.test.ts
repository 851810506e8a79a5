/** A journal that cannot be written keeps nothing from being done, and is a warning of the process. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { auditLog, BackupManager, hasCode, operationHistory, RestoreManager, sqlite } from '../../../src/index.ts'
import { JournalProcess } from '../../../src/library/journal/journal-process.ts'
import { LibraryJournal } from '../../../src/library/journal/library-journal.ts'
import { currentProcess } from '../../../src/util/process-identity.ts'
import { actor } from '../../agent/journal/support/journals.ts'
import { until } from '../../engine/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { countRows, makeDatabase } from '../make-database.ts'

/** Warnings of Holdfast in this process, while it is used. */
function warnings() {
  const told: { readonly message: string; readonly code: unknown }[] = []
  const listen = (warning: Error): void => {
    if (warning.name === 'HoldfastWarning')
      told.push({ message: warning.message, code: 'code' in warning ? warning.code : undefined })
  }
  process.on('warning', listen)
  return { told, [Symbol.dispose]: () => void process.off('warning', listen) }
}

/** Backs up, fails to, and restores. */
async function work(folder: ReturnType<typeof temporaryFolder>, journal: string): Promise<void> {
  const repository = folder.file('backups')
  makeDatabase(folder.file('app.db'), 7)
  await using backups = await BackupManager.open({
    source: sqlite(folder.file('app.db')),
    repository,
    init: true,
    journal,
  })
  await backups.createFullBackup()
  await assert.rejects(backups.createIncrementalBackup({ parent: 'nothing' }), (error) =>
    hasCode(error, 'BACKUP_NOT_FOUND'),
  )
  await using restores = await RestoreManager.open({ repository, database: 'app', journal })
  await restores.restoreLatest({ targetPath: folder.file('restored.db') })
  assert.equal(countRows(folder.file('restored.db')), 7)
}

describe('a journal', () => {
  it('whose folder cannot be made is warned of, once', async () => {
    using folder = temporaryFolder()
    using heard = warnings()
    writeFileSync(folder.file('file'), '')
    const journal = folder.file('file/journal.db')
    await work(folder, journal)
    assert.equal(heard.told.length, 1, JSON.stringify(heard.told))
    const [warning] = heard.told
    assert.match(warning?.message ?? '', /cannot be recorded in the history and the audit log/)
    assert.ok(warning?.message.includes(journal))
    assert.equal(warning?.code, 'ACCESS_DENIED')
    assert.deepEqual(await operationHistory({ journal }), [])
  })

  it('whose audit log lost its head is warned of, and found', async () => {
    using folder = temporaryFolder()
    using heard = warnings()
    const journal = folder.file('journal.db')
    await work(folder, journal)
    {
      using database = new DatabaseSync(journal)
      database.exec('DELETE FROM audit_chain')
    }
    const { head, finding, entries } = await auditLog({ journal })
    assert.deepEqual([head, finding?.sequence], [undefined, 1])
    assert.ok(entries.length > 0)
    await using restores = await RestoreManager.open({ repository: folder.file('backups'), database: 'app', journal })
    await restores.restoreLatest({ targetPath: folder.file('again.db') })
    assert.deepEqual(
      heard.told.map(({ code }) => code),
      ['INTEGRITY'],
    )
  })

  it('that is another database is left as it is, with a warning', async () => {
    using folder = temporaryFolder()
    using heard = warnings()
    const journal = folder.file('theirs.db')
    makeDatabase(journal, 3)
    const before = readFileSync(journal)
    await work(folder, journal)
    assert.deepEqual(readFileSync(journal), before)
    assert.deepEqual(
      heard.told.map(({ code }) => code),
      ['DATABASE_UNSUPPORTED'],
    )
    await assert.rejects(operationHistory({ journal }), (error) => hasCode(error, 'DATABASE_UNSUPPORTED'))
  })

  it('that is damaged is moved aside, with a warning, and a new one begun', async () => {
    using folder = temporaryFolder()
    using heard = warnings()
    mkdirSync(folder.file('state'))
    const journal = folder.file('state/journal.db')
    writeFileSync(journal, 'no database at all'.repeat(1000))
    await work(folder, journal)
    assert.deepEqual(
      heard.told.map(({ code }) => code),
      ['INTEGRITY'],
    )
    assert.ok(readdirSync(folder.file('state')).some((name) => name.startsWith('journal.db.damaged-')))
    assert.equal((await operationHistory({ journal })).length, 4)
    assert.equal((await auditLog({ journal })).finding, undefined)
  })

  it('that gives no answer is not waited for in vain, and written again when it does', async () => {
    using folder = temporaryFolder()
    const path = folder.file('journal.db')
    const told: string[] = []
    const place = { path, actor, process: currentProcess() }
    const open = (patienceMs: number) => {
      const onWarning = ({ message }: { readonly message: string }): void => void told.push(message)
      const writer = new JournalProcess(place, { patienceMs }, onWarning)
      return { writer, journal: new LibraryJournal({ path, actor, process: writer, now: Date.now, onWarning }) }
    }
    const start = { kind: 'backup', repository: 'memory:', trigger: 'library' } as const
    const patient = open(60_000)
    await (await patient.journal.begin(start, {})).end({ outcome: 'succeeded' })
    const operation = await patient.journal.begin(start, {})
    {
      // It waits for such a lock for some seconds.
      using holder = new DatabaseSync(path)
      holder.exec('BEGIN EXCLUSIVE')
      const impatient = open(300)
      await impatient.journal.begin(start, {})
      assert.equal(told.length, 1)
      assert.match(told[0] ?? '', /gave no answer within 300 ms\./)
      await impatient.writer[Symbol.asyncDispose]()
    }
    await operation.end({ outcome: 'succeeded' })
    const done = await patient.journal.operations({})
    assert.deepEqual(
      done.map(({ outcome }) => outcome),
      ['succeeded', 'succeeded'],
    )
    await patient.writer[Symbol.asyncDispose]()
  })

  it('costs no process while nothing is written', async () => {
    using folder = temporaryFolder()
    const path = folder.file('journal.db')
    const writer = new JournalProcess({ path, actor, process: currentProcess() }, { lingerMs: 0 }, () => {})
    const journal = new LibraryJournal({ path, actor, process: writer, now: Date.now, onWarning: () => {} })
    const operation = await journal.begin({ kind: 'follow', repository: 'memory:', trigger: 'library' }, {})
    await until(() => writer.pid === undefined)
    await operation.end({ outcome: 'succeeded' })
    const [done] = await journal.operations({})
    assert.equal(done?.outcome, 'succeeded')
    await writer[Symbol.asyncDispose]()
  })
})
