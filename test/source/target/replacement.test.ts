import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasCode } from '../../../src/errors.ts'
import { type ExclusiveLock, lockByLink, lockExclusively } from '../../../src/source/sqlite/target/exclusive-lock.ts'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { lockPage } from '../../../src/util/lock-page.ts'
import { pageHash } from '../../../src/util/page-hash.ts'
import { failingFlush } from '../../support/failing-flush.ts'
import {
  assertSameBytes,
  contentOf,
  makeDatabase,
  makeDatabaseWithLog,
  sidecarsOf,
  stateOf,
  TestFolder,
  wantedState,
  writeWanted,
} from './fixtures.ts'

/** A program that writes a row into the database named, and dies with it in the log. */
const commitAndDie = fileURLToPath(new URL('./commit-and-die.ts', import.meta.url))

for (const pageSize of [512, 4096, 65536]) {
  for (const wal of [false, true]) {
    test(`a ${wal ? 'WAL' : 'rollback'}-mode database of ${pageSize}-byte pages is restored byte for byte, with every proof`, async () => {
      using folder = new TestFolder()
      const wanted = wantedState(folder, { pageSize, wal })
      const path = folder.file('app.db')
      await using target = await openTarget(path, wanted)
      assert.equal(target.mode, 'create')
      await writeWanted(target, wanted)
      assert.equal(existsSync(path), false)
      const { state, facts } = wanted
      const proof = await target.prove({
        state,
        facts,
        level: 'integrity',
        rowCounts: true,
        expectedForeignKeyViolations: 0,
      })
      await target.commit()
      assertSameBytes(readFileSync(path), wanted.bytes)
      assert.deepEqual(readdirSync(folder.path), ['app.db'])
      assert.deepEqual(
        [proof.state, proof.pagesHashed, proof.factsMatch, proof.tablesCompared],
        [state, wanted.pageCount, true, 2],
      )
      assert.equal(proof.validation.ok, true)
      assert.equal(target.bytesWritten, wanted.bytes.length)
    })
  }
}

test('pages may come in any order, from many writers at once', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { pageSize: 512 })
  await using target = await openTarget(folder.file('app.db'), wanted)
  const pages = Array.from({ length: wanted.pageCount }, (_, index) => ((index * 37) % wanted.pageCount) + 1)
  assert.equal(new Set(pages).size, wanted.pageCount)
  const page = (number: number) => wanted.bytes.subarray((number - 1) * 512, number * 512)
  await Promise.all(
    Array.from({ length: Math.ceil(pages.length / 10) }, (_, index) => {
      const some = pages.slice(index * 10, index * 10 + 10)
      return target.write(Uint32Array.from(some), Buffer.concat(some.map(page)))
    }),
  )
  await target.prove({ state: wanted.state, level: 'quick', rowCounts: false })
  await target.commit()
  assertSameBytes(readFileSync(folder.file('app.db')), wanted.bytes)
})

test('when the disk fails while a large file is flushed, nothing is put in place', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  {
    using broken = await failingFlush()
    await using target = await openTarget(folder.file('app.db'), wanted)
    const restore = async () => {
      // Where the pages lie does not matter to the flush, only how many bytes were written.
      for (let written = 0; written < 33_554_432; written += wanted.bytes.length) await writeWanted(target, wanted)
      await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
      await target.commit()
    }
    await assert.rejects(restore(), /EIO/)
    assert.equal(broken.calls(), 1)
  }
  assert.deepEqual(readdirSync(folder.path), [])
})

test('an empty database is an empty file', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, {})
  await using target = await openTarget(path, { pageSize: 4096, pageCount: 0, force: true, delta: true })
  assert.equal(target.mode, 'replace')
  await target.prove({ state: 0n, level: 'integrity', rowCounts: true })
  await target.commit()
  assert.equal(statSync(path).size, 0)
})

test('past 1 GiB the lock page is skipped and reads as zeros', async () => {
  using folder = new TestFolder()
  const pageSize = 65536
  const pageCount = 16388
  const zeros = Buffer.alloc(pageSize)
  let state = 0n
  for (let page = 1; page <= pageCount; page += 1) if (page !== lockPage(pageSize)) state += pageHash(page, zeros)
  const last = Buffer.alloc(pageSize, 'x')
  state += pageHash(pageCount, last) - pageHash(pageCount, zeros)
  await using target = await openTarget(folder.file('app.db'), { pageSize, pageCount })
  await target.write(Uint32Array.of(pageCount), last)
  await assert.rejects(target.write(Uint32Array.of(lockPage(pageSize)), last))
  const proof = await target.prove({ state: BigInt.asUintN(64, state), level: 'none', rowCounts: false })
  assert.equal(proof.pagesHashed, pageCount - 1)
})

test('a symbolic link stays, and the file behind it is replaced', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  makeDatabase(folder.file('real.db'), { seed: 2 })
  for (const [link, to] of [
    ['link.db', 'real.db'],
    ['dangling.db', 'new.db'],
  ] as const) {
    symlinkSync(to, folder.file(link))
    await using target = await openTarget(folder.file(link), { ...wanted, force: true })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await target.commit()
    assert.equal(lstatSync(folder.file(link)).isSymbolicLink(), true)
    assertSameBytes(readFileSync(folder.file(to)), wanted.bytes)
  }
})

test('the new file has the old one’s mode and owner, or those that SQLite gives a new one', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  const restore = async () => {
    await using target = await openTarget(path, { ...wanted, force: true })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await target.commit()
  }
  await restore()
  makeDatabase(folder.file('by-sqlite.db'), {})
  assert.equal(statSync(path).mode, statSync(folder.file('by-sqlite.db')).mode)
  chmodSync(path, 0o640)
  const owner = process.getuid?.() === 0 ? 12345 : statSync(path).uid
  chownSync(path, owner, statSync(path).gid)
  await restore()
  assert.deepEqual([statSync(path).mode & 0o777, statSync(path).uid], [0o640, owner])
})

test('what is disposed before commit leaves the old file, log included, and nothing else', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  makeDatabaseWithLog(path, { seed: 2 })
  {
    await using target = await openTarget(path, { ...wanted, force: true })
    assert.equal(target.mode, 'replace')
    await writeWanted(target, wanted)
  }
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.includes('holdfast')),
    [],
  )
  assert.match(contentOf(path), /"id":77/)
})

test('the old database’s log never reaches the new one', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { wal: true })
  const path = folder.file('app.db')
  makeDatabaseWithLog(path, { seed: 2 })
  await using target = await openTarget(path, { ...wanted, force: true })
  // Someone opens the old database meanwhile, and dies with a commit in the log.
  makeDatabaseWithLog(path, { seed: 3 })
  await writeWanted(target, wanted)
  await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
  await target.commit()
  assert.deepEqual(sidecarsOf(path), [])
  assertSameBytes(readFileSync(path), wanted.bytes)
})

test('neither the old database’s persistent journal nor its shared memory outlives it', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  makeDatabase(path, { seed: 2 })
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = PERSIST; INSERT INTO parent VALUES (8)')
  db.close()
  writeFileSync(`${path}-shm`, Buffer.alloc(32768))
  assert.deepEqual(sidecarsOf(path), ['-shm', '-journal'])
  await using target = await openTarget(path, { ...wanted, force: true })
  await writeWanted(target, wanted)
  await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
  await target.commit()
  assert.deepEqual(sidecarsOf(path), [])
})

test('a log whose database is gone does not reach the new one', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  writeFileSync(folder.file('app.db-wal'), 'a log')
  await using target = await openTarget(folder.file('app.db'), wanted)
  await writeWanted(target, wanted)
  await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
  await target.commit()
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
})

test('a damaged old file, and what lies beside it, is replaced; without commit it all stays', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  writeFileSync(path, Buffer.alloc(8192, 'encrypted'))
  writeFileSync(`${path}-wal`, 'its log')
  const restore = async (onStep?: (step: string) => void) => {
    await using target = await openTarget(path, { ...wanted, force: true, onStep })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await target.commit()
  }
  await assert.rejects(
    restore((step) => {
      if (step === 'rename') throw new Error('injected')
    }),
  )
  assertSameBytes(readFileSync(path), Buffer.alloc(8192, 'encrypted'))
  assert.equal(readFileSync(`${path}-wal`, 'utf8'), 'its log')
  await restore()
  assertSameBytes(readFileSync(path), wanted.bytes)
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
})

test('a file that came into being meanwhile is not overwritten', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  await using target = await openTarget(path, wanted)
  await writeWanted(target, wanted)
  await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
  writeFileSync(path, 'mine')
  await assert.rejects(target.commit(), { code: 'TARGET_EXISTS' })
  assert.equal(readFileSync(path, 'utf8'), 'mine')
})

for (const wal of [false, true]) {
  test(`a target that came into use meanwhile is not replaced (${wal ? 'WAL' : 'rollback'} mode)`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    const path = folder.file('app.db')
    makeDatabase(path, { seed: 2, wal })
    await using target = await openTarget(path, { ...wanted, force: true, busyTimeoutMs: 10 })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    const old = readFileSync(path)
    // A connection of this very process stands for one that /proc does not show.
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN; SELECT * FROM parent')
    await assert.rejects(target.commit(), { code: 'TARGET_LIVE' })
    assert.equal(reader.prepare('SELECT count(*) AS n FROM item').get()?.['n'], 500)
    reader.close()
    assertSameBytes(readFileSync(path), old)
  })
}

for (const wal of [false, true]) {
  const mode = wal ? 'WAL' : 'rollback'

  test(`nobody can write to the old file right before the new one takes its place (${mode} mode)`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, { wal: true })
    const path = folder.file('app.db')
    makeDatabase(path, { seed: 2, wal })
    const onStep = (step: string) => {
      if (step !== 'rename') return
      const { stderr } = spawnSync(process.execPath, [commitAndDie, path], { encoding: 'utf8' })
      assert.match(stderr, /database is locked/)
    }
    await using target = await openTarget(path, { ...wanted, force: true, onStep })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await target.commit()
    assert.deepEqual(readdirSync(folder.path), ['app.db'])
    assertSameBytes(readFileSync(path), wanted.bytes)
  })

  test(`the old file comes back if someone opened it right before the new one took its place (${mode} mode)`, {
    skip: process.platform !== 'linux' && 'only Linux tells',
  }, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, { wal: true })
    const path = folder.file('app.db')
    makeDatabase(path, { seed: 2, wal })
    const old = readFileSync(path)
    const { ino } = statSync(path)
    let holder = 0
    const onStep = (step: string) => {
      if (step !== 'rename') return
      const command = 'exec 3<"$1"; sleep 60 >/dev/null 2>&1 & echo $!'
      holder = Number(spawnSync('sh', ['-c', command, 'sh', path], { encoding: 'utf8' }).stdout)
    }
    try {
      await using target = await openTarget(path, { ...wanted, force: true, onStep })
      await writeWanted(target, wanted)
      await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
      await assert.rejects(
        target.commit(),
        (error) => hasCode(error, 'TARGET_LIVE') && error.message.includes(`process ${holder}`),
      )
    } finally {
      process.kill(holder, 'SIGKILL')
    }
    assertSameBytes(readFileSync(path), old)
    assert.equal(statSync(path).ino, ino)
    assert.deepEqual(readdirSync(folder.path), ['app.db'])
  })
}

test('a commit that comes in between two locks on the old file is not lost', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, { wal: true })
  const attempt = lockExclusively(path, 10)
  assert.ok(attempt.readable)
  linkSync(path, folder.file('link'))
  const lock: ExclusiveLock = {
    ...attempt.lock,
    [Symbol.dispose]() {
      attempt.lock[Symbol.dispose]()
      spawnSync(process.execPath, [commitAndDie, path])
    },
  }
  assert.throws(() => lockByLink(lock, folder.file('link'), 10), { code: 'TARGET_LIVE' })
  rmSync(folder.file('link'))
  assert.match(contentOf(path), /"id":4711/)
})

test('only what is proved can be committed', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  await using target = await openTarget(folder.file('app.db'), wanted)
  await writeWanted(target, wanted)
  await assert.rejects(target.commit(), { code: 'INTERNAL' })
  assert.equal(stateOf(wanted.bytes, wanted.pageSize), wanted.state)
})
