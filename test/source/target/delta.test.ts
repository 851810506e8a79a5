import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import {
  assertSameBytes,
  contentOf,
  makeDatabase,
  makeDatabaseWithLog,
  TestFolder,
  wantedState,
  writeWanted,
} from './fixtures.ts'

for (const pageSize of [512, 4096, 65536]) {
  for (const wal of [false, true]) {
    for (const oldRows of [50, 500, 2000]) {
      const change = oldRows === 500 ? 'kept in size' : oldRows < 500 ? 'grown' : 'shrunk'
      test(`${pageSize}-byte pages, ${wal ? 'WAL' : 'rollback'} mode: a file is ${change} in place`, async () => {
        using folder = new TestFolder()
        const wanted = wantedState(folder, { pageSize, wal, seed: 1 })
        const path = folder.file('app.db')
        makeDatabase(path, { pageSize, wal, rows: oldRows, seed: 2 })
        const inode = statSync(path).ino
        const old = readFileSync(path)
        {
          await using target = await openTarget(path, { ...wanted, delta: true })
          await writeWanted(target, wanted)
          await target.prove({ state: wanted.state, level: 'integrity', rowCounts: true })
        }
        assertSameBytes(readFileSync(path), old, 'without commit it is rolled back')
        await using target = await openTarget(path, { ...wanted, delta: true })
        assert.equal(target.mode, 'delta')
        await writeWanted(target, wanted)
        const { state, facts } = wanted
        const proof = await target.prove({ state, facts, level: 'integrity', rowCounts: true })
        await target.commit()
        assert.equal(proof.factsMatch, true)
        assert.equal(statSync(path).ino, inode)
        assertSameBytes(readFileSync(path), wanted.bytes)
        assert.deepEqual(readdirSync(folder.path), ['app.db'])
      })
    }
  }
}

test('only the pages that differ are written', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { rows: 5000 })
  const path = folder.file('app.db')
  writeFileSync(path, wanted.bytes)
  const db = new DatabaseSync(path)
  db.exec('UPDATE item SET seed = 99 WHERE id = 2500')
  db.close()
  await using target = await openTarget(path, { ...wanted, delta: true })
  const written = await writeWanted(target, wanted)
  assert.ok(written > 0 && written <= 3, `${written} pages`)
  assert.equal(target.bytesWritten, written * wanted.pageSize)
  await target.prove({ state: wanted.state, level: 'quick', rowCounts: false })
  await target.commit()
  assertSameBytes(readFileSync(path), wanted.bytes)
})

test('the old file’s own log is folded in first, and a rollback brings it back', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { wal: true })
  const path = folder.file('app.db')
  makeDatabaseWithLog(path, { seed: 2 })
  {
    await using target = await openTarget(path, { ...wanted, delta: true })
    await writeWanted(target, wanted)
  }
  assert.match(contentOf(path), /"id":77/)
})

test('nobody can open the database while it is changed, and a proof does not let go of the lock', {
  skip: process.platform !== 'linux' && 'reads /proc/locks',
}, async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  makeDatabase(path, { seed: 2 })
  const locks = () =>
    readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`:${statSync(path).ino} `))
      .filter((line) => line.includes('WRITE'))
  await using target = await openTarget(path, { ...wanted, delta: true })
  assert.ok(locks().length > 0)
  await writeWanted(target, wanted)
  const command = 'head -c 16 "$1"'
  await target.prove({ state: wanted.state, level: 'integrity', rowCounts: true, command })
  assert.ok(locks().length > 0)
  await target.commit()
  assert.equal(locks().length, 0)
})

test('a file that cannot serve is replaced, and `mode` says so', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  const spoil: Record<string, () => void> = {
    'no database': () => writeFileSync(path, 'some text'),
    empty: () => writeFileSync(path, ''),
    'other page size': () => makeDatabase(path, { pageSize: 512 }),
    'no whole number of pages': () => {
      makeDatabase(path, {})
      truncateSync(path, statSync(path).size - 100)
    },
  }
  for (const [why, make] of Object.entries(spoil)) {
    writeFileSync(path, '')
    make()
    chmodSync(path, 0o600)
    await using target = await openTarget(path, { ...wanted, delta: true })
    assert.equal(target.mode, 'replace', why)
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await target.commit()
    assertSameBytes(readFileSync(path), wanted.bytes)
  }
})

test('a target that does not exist yet is created', async () => {
  using folder = new TestFolder()
  await using target = await openTarget(folder.file('app.db'), { pageSize: 512, pageCount: 3, delta: true })
  assert.equal(target.mode, 'create')
  assert.equal(target.currentHashes, undefined)
})
