import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { assertSameBytes, makeDatabase, TestFolder } from './fixtures.ts'

const shape = { pageSize: 4096, pageCount: 4 }

test('a target whose folder does not exist is refused', async () => {
  using folder = new TestFolder()
  await assert.rejects(openTarget(folder.file('no/such/app.db'), shape), { code: 'TARGET_FOLDER_MISSING' })
})

test('an existing target is refused without force or delta, and the hint names --force', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, {})
  const before = readFileSync(path)
  await assert.rejects(openTarget(path, shape), { code: 'TARGET_EXISTS', hint: /--force/ })
  assertSameBytes(readFileSync(path), before)
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
})

test('a folder or a device is no target', async () => {
  using folder = new TestFolder()
  mkdirSync(folder.file('app.db'))
  await assert.rejects(openTarget(folder.file('app.db'), { ...shape, force: true }), { code: 'USAGE' })
  await assert.rejects(openTarget('/dev/null', { ...shape, force: true }), { code: 'USAGE' })
})

test('a folder that cannot be written is refused', {
  skip: process.platform === 'win32' && 'Windows has no modes',
}, async () => {
  using folder = new TestFolder()
  const attempt = async (): Promise<unknown> => {
    // For root no mode forbids anything.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const child = fork(new URL('./open-target-child.ts', import.meta.url), [folder.file('app.db')], user)
    const [answer] = await once(child, 'message')
    return answer
  }
  chmodSync(folder.path, 0o777)
  assert.equal(await attempt(), 'opened')
  chmodSync(folder.path, 0o555)
  assert.equal(await attempt(), 'ACCESS_DENIED')
  chmodSync(folder.path, 0o700)
})

test('a restore larger than the free space is refused at once, with figures', async () => {
  using folder = new TestFolder()
  await assert.rejects(openTarget(folder.file('app.db'), { pageSize: 65536, pageCount: 4294967294 }), {
    code: 'DISK_FULL',
    message: /needs 256 TiB in .* [KMGT]?i?B are free/,
  })
  assert.deepEqual(readdirSync(folder.path), [])
})

for (const delta of [false, true]) {
  for (const wal of [false, true]) {
    const how = `${delta ? '--delta' : '--force'}, ${wal ? 'WAL' : 'rollback'} mode`
    test(`a target that another process has open, idle, is live (${how})`, {
      skip: process.platform !== 'linux' && 'only Linux tells',
    }, async () => {
      using folder = new TestFolder()
      const path = folder.file('app.db')
      makeDatabase(path, { wal })
      const before = readFileSync(path)
      const holder = fork(new URL('./hold-open.ts', import.meta.url), [path])
      try {
        await once(holder, 'message')
        await assert.rejects(openTarget(path, { ...shape, force: true, delta }), {
          code: 'TARGET_LIVE',
          message: new RegExp(`in use by node hold-open\\.ts \\(process ${holder.pid}\\)`),
        })
        assertSameBytes(readFileSync(path), before)
      } finally {
        holder.kill('SIGKILL')
        await once(holder, 'exit')
      }
    })
  }
}

test('a target that is locked by SQLite is live, even where the holder cannot be seen', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, {})
  // A connection of this very process stands for one that /proc does not show.
  const reader = new DatabaseSync(path)
  try {
    reader.exec('BEGIN; SELECT * FROM parent')
    for (const mode of [{ force: true }, { delta: true }]) {
      await assert.rejects(openTarget(path, { ...shape, ...mode, busyTimeoutMs: 10 }), { code: 'TARGET_LIVE' })
    }
  } finally {
    reader.close()
  }
})

test('a database that cannot be locked, for another reason than damage, is not taken for damaged', async () => {
  for (const mode of [{ force: true }, { delta: true }]) {
    using folder = new TestFolder()
    const path = folder.file('app.db')
    makeDatabase(path, { wal: true })
    const before = readFileSync(path)
    // SQLite cannot open its log.
    mkdirSync(`${path}-wal`)
    await assert.rejects(openTarget(path, { ...shape, ...mode }), { code: 'ACCESS_DENIED' })
    assertSameBytes(readFileSync(path), before)
    assert.deepEqual(readdirSync(folder.path), ['app.db', 'app.db-wal'])
  }
})

test('a database with a schema format that SQLite does not know may be replaced', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, {})
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(99, 44)
  writeFileSync(path, bytes)
  await using target = await openTarget(path, { ...shape, force: true })
  assert.equal(target.mode, 'replace')
})

test('an aborted call touches nothing', async () => {
  using folder = new TestFolder()
  writeFileSync(folder.file('app.db'), 'old')
  await assert.rejects(openTarget(folder.file('app.db'), { ...shape, force: true, signal: AbortSignal.abort() }))
  assert.equal(readFileSync(folder.file('app.db'), 'utf8'), 'old')
})
