import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { CountingProcess } from '../support/counting-process.ts'
import { checkOracle, createOracleDatabase, type OracleOptions } from '../support/oracle.ts'
import { testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { writeSnapshot } from '../support/write-snapshot.ts'
import { WriterProcess } from '../support/writer-process.ts'

const shapes: readonly OracleOptions[] = [
  { pageSize: 512, autoVacuum: 'none', journalMode: 'wal' },
  { pageSize: 1024, autoVacuum: 'full', journalMode: 'wal' },
  { pageSize: 2048, autoVacuum: 'incremental', journalMode: 'wal', encoding: 'UTF-16le' },
  { pageSize: 4096, autoVacuum: 'none', journalMode: 'wal' },
  { pageSize: 8192, autoVacuum: 'incremental', journalMode: 'wal' },
  { pageSize: 16384, autoVacuum: 'full', journalMode: 'wal', encoding: 'UTF-16be' },
  { pageSize: 32768, autoVacuum: 'none', journalMode: 'wal' },
  { pageSize: 65536, autoVacuum: 'incremental', journalMode: 'wal' },
  { pageSize: 512, autoVacuum: 'full', journalMode: 'delete' },
  { pageSize: 4096, autoVacuum: 'incremental', journalMode: 'truncate' },
  { pageSize: 65536, autoVacuum: 'none', journalMode: 'persist' },
]

test('every snapshot of a database under full load is one commit, whole', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  for (const [index, shape] of shapes.entries()) {
    const { pageSize, autoVacuum, journalMode } = shape
    await t.test(`${journalMode}, pages of ${pageSize}, auto_vacuum ${autoVacuum}`, async () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      createOracleDatabase(path, shape)
      await using writer = await WriterProcess.start({ path, seed: seed + index })
      await using other = await WriterProcess.start({ path, seed: seed - index - 1 })
      const seen: number[] = []
      for (let round = 0; round < 4; round++) {
        const copy = folder.file(`copy-${round}.db`)
        await using snapshot = await sqlite(path).openSnapshot({ busyTimeoutMs: 20_000 })
        const [, inspection] = await Promise.all([
          writeSnapshot(snapshot, copy),
          snapshot.inspect({ validation: 'quick', rowCounts: true }),
        ])
        assert.equal(snapshot.blocksWriters, journalMode !== 'wal')
        assert.deepEqual(inspection.validation.findings, [])
        assert.equal(inspection.facts.pageCount, snapshot.pageCount)
        seen.push(checkOracle(copy))
      }
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
        'later snapshots hold later commits',
      )
      assert(writer.isRunning && other.isRunning, 'no writer failed')
      const last = Math.max(await writer.stop(), await other.stop())
      assert.equal(checkOracle(path), last, 'the live database is unharmed')
    })
  }
})

test('what SQLite says of a snapshot and what is read of it are the same commit', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  await using _ = await CountingProcess.start(path)
  const seen = new Set<number>()
  for (let round = 0; round < 20; round++) {
    await using snapshot = await sqlite(path).openSnapshot()
    const { facts } = await snapshot.inspect({ validation: 'none', rowCounts: false })
    for await (const { values } of snapshot.pages()) {
      assert.equal(Buffer.from(values).readInt32BE(60), facts.userVersion, 'user_version, on the first page')
      break
    }
    seen.add(facts.userVersion)
  }
  assert(seen.size > 10, 'commits went on all the while')
})

test('a snapshot holds its commit while writers commit, checkpoint and vacuum', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  createOracleDatabase(path)
  await using writer = await WriterProcess.start({ path, seed, maintenancePercent: 30 })
  for (let round = 0; round < 5; round++) {
    await using snapshot = await sqlite(path).openSnapshot()
    await writeSnapshot(snapshot, folder.file('early.db'))
    const { facts } = await snapshot.inspect({ validation: 'none', rowCounts: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await writeSnapshot(snapshot, folder.file('late.db'))
    assert.equal(checkOracle(folder.file('late.db')), checkOracle(folder.file('early.db')))
    assert.deepEqual((await snapshot.inspect({ validation: 'none', rowCounts: true })).facts, facts)
  }
  assert(writer.isRunning)
})

test('a writer that is killed at any moment leaves a database that can be read', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  for (const journalMode of ['wal', 'delete', 'truncate', 'persist'] as const) {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    createOracleDatabase(path, { journalMode })
    for (let round = 0; round < 3; round++) {
      await using writer = await WriterProcess.start({ path, seed: seed + round })
      await new Promise((resolve) => setTimeout(resolve, 50 + ((seed >>> round) % 200)))
      await writer.kill()
      await using snapshot = await sqlite(path).openSnapshot()
      const copy = folder.file('copy.db')
      await writeSnapshot(snapshot, copy)
      const seq = checkOracle(copy)
      await snapshot[Symbol.asyncDispose]()
      assert.equal(checkOracle(path), seq, 'it is the last commit')
    }
  }
})
