import assert from 'node:assert/strict'
import { it, mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Journal } from '../../../src/agent/journal/journal.ts'
import { linkStorage } from '../../../src/engine/storage-link.ts'
import { initRepository, MemoryStorage, operationHistory } from '../../../src/index.ts'
import { JournalProcess } from '../../../src/library/journal/journal-process.ts'
import { LibraryJournal } from '../../../src/library/journal/library-journal.ts'
import { Recorder } from '../../../src/library/journal/recorder.ts'
import { takeJournal } from '../../../src/library/journal/shared-journal.ts'
import { readAuditAnchors } from '../../../src/repository/audit-anchor.ts'
import { actor, start } from '../../agent/journal/support/journals.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const hour = 60 * 60_000

it('what runs for long says that it is there, for those who cannot see its process', async () => {
  using folder = temporaryFolder()
  const path = folder.file('journal.db')
  const elsewhere = { host: 'another container', bootId: '', pid: 1, startedAt: '' }
  const writer = new JournalProcess({ path, actor, process: elsewhere }, {}, ({ message }) => assert.fail(message))
  let time = Date.now() - 4 * hour
  const onWarning = ({ message }: { readonly message: string }): void => assert.fail(message)
  const journal = new LibraryJournal({ path, actor, process: writer, now: () => time, onWarning })
  const outcome = async () => (await journal.operations({}))[0]?.outcome
  mock.timers.enable({ apis: ['setInterval'] })
  try {
    const operation = await journal.begin({ ...start, kind: 'follow', trigger: 'library' }, {})
    assert.equal(await outcome(), 'interrupted', 'silent for four hours')
    time += 4 * hour
    mock.timers.tick(hour)
    // Nobody waits for this to be written.
    while ((await outcome()) === 'interrupted') await sleep(10)
    assert.equal(await outcome(), 'running')
    await operation.end({ outcome: 'succeeded' })
    assert.equal(await outcome(), 'succeeded')
  } finally {
    mock.timers.reset()
    await writer[Symbol.asyncDispose]()
  }
})

it('an application that runs for long notes the head of the audit log in the repository every hour', async () => {
  using folder = temporaryFolder()
  const path = folder.file('journal.db')
  // A log that this very process began would be noted only when it is an hour old.
  const command = new Journal({ path, actor, onWarning: (message) => assert.fail(message) })
  await (await command.begin(start)).end({ outcome: 'succeeded' })
  const storage = new MemoryStorage()
  await initRepository(storage)
  await using link = await linkStorage(storage)
  let time = 0
  const recorder = new Recorder(link, takeJournal(path), () => time)
  const noted = async () => (await readAuditAnchors(storage)).anchors.map(({ sequence }) => sequence)
  const work = () => recorder.recorded({ kind: 'pin', database: 'app' }, async () => {})
  await work()
  time += hour - 1
  await work()
  assert.deepEqual(await noted(), [])
  time += 1
  await work()
  assert.deepEqual(await noted(), [8])
  await work()
  assert.deepEqual(await noted(), [8])
  await recorder[Symbol.asyncDispose]()
  assert.deepEqual(await noted(), [10])
  assert.equal((await operationHistory({ journal: path })).length, 5)
})
