import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { assertDurable, recordDurability } from '../../support/durability-log.ts'
import { assertSameBytes, makeDatabase, TestFolder, wantedState, writeWanted } from './fixtures.ts'

for (const [what, replaces] of [
  ['a new file', false],
  ['one that replaces another', true],
] as const) {
  test(`a restored database is on the disk before it has its name, and its name when the restore is done: ${what}`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, { pageSize: 4096, wal: true })
    const path = folder.file('app.db')
    if (replaces) makeDatabase(path, { seed: 2 })
    using log = await recordDurability()
    await using target = await openTarget(path, { ...wanted, force: replaces })
    await writeWanted(target, wanted)
    const { state, facts } = wanted
    await target.prove({ state, facts, level: 'quick', rowCounts: true, expectedForeignKeyViolations: 0 })
    const before = log.events.length
    await target.commit()
    assertDurable(log.events.slice(before), path)
    assertSameBytes(readFileSync(path), wanted.bytes)
  })
}

test('a delta restore writes no page before the old one is on the disk in a journal, and removes that after the last is', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { pageSize: 4096 })
  const path = folder.file('app.db')
  makeDatabase(path, { seed: 2 })
  using log = await recordDurability()
  await using target = await openTarget(path, { ...wanted, delta: true })
  assert.equal(target.mode, 'delta')
  await writeWanted(target, wanted)
  const { state, facts } = wanted
  await target.prove({ state, facts, level: 'quick', rowCounts: true, expectedForeignKeyViolations: 0 })
  await target.commit()
  assertSameBytes(readFileSync(path), wanted.bytes)

  const { events } = log
  const database = statSync(path).ino
  const removed = events.findIndex((event) => event.what === 'gone' && event.path === `${path}-journal`)
  const journal = events[removed]?.inode
  assert.ok(journal !== undefined, 'there was a journal')
  let unsafe = false
  let writes = 0
  for (const { what, inode } of events) {
    if (inode === journal && what === 'write') unsafe = true
    if (inode === journal && what === 'sync') unsafe = false
    if (inode !== database || what !== 'write') continue
    writes += 1
    assert.equal(unsafe, false, 'a page was written while its journal was not flushed')
  }
  assert.ok(writes > 0)
  const last = events.findLastIndex(({ what, inode }) => what === 'write' && inode === database)
  const flushed = events.findLastIndex(({ what, inode }) => what === 'sync' && inode === database)
  assert.ok(last < flushed && flushed < removed, 'the pages were flushed before the journal went')
  const first = events.findIndex(({ what, inode }) => what === 'write' && inode === database)
  const named = events.findIndex((event) => event.what === 'name' && event.inode === journal)
  const folderInode = statSync(folder.path).ino
  assert.ok(
    events.slice(named, first).some(({ what, inode }) => what === 'sync' && inode === folderInode),
    'the name of the journal was flushed before the first page was written',
  )
})
