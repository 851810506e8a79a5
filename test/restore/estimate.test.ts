/** What is estimated of a restore, against what the restore then does. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { describe, it } from 'node:test'
import { RestoreError } from '../../src/errors.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { Repository } from '../../src/repository/repository.ts'
import { type MeasuringParts, measuredRestore } from '../../src/restore/measured-restore.ts'
import { planDatabaseRestore } from '../../src/restore/plan-restore.ts'
import { RateFile } from '../../src/restore/rates/rate-file.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import type { RestoreOptions, RestorePlan, RestoreResult } from '../../src/restore/restore-options.ts'
import { headerLength, tailRead } from '../../src/segment/limits.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { resolveRange } from '../../src/storage/range.ts'
import type { GetOptions } from '../../src/storage/storage.ts'
import type { Progress } from '../../src/util/progress.ts'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { SqliteLogHistory } from '../support/sqlite-log-history.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Rows are alike, so that writing the database takes longer than fetching it. */
const schema = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB, n INTEGER);
  WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)
    INSERT INTO t SELECT i, zeroblob(16000), 0 FROM c`
const change = (id: number) => `UPDATE t SET n = n + 1, x = randomblob(40) WHERE id = ${id}`
const grow = 'INSERT INTO t (x, n) SELECT randomblob(6000), 1 FROM t LIMIT 20'

describe('the estimate of a restore', () => {
  it('names the objects and bytes that are fetched, the commits that are replayed, and the size of the file', async () => {
    using folder = temporaryFolder()
    const storage = new WatchedStorage()
    await using repository = await Repository.init(storage)
    const history = await SqliteLogHistory.create(repository, folder.file('app.db'), schema)
    const base = history.last.lsn
    const first = await history.commit(change(3), grow, change(5), 'DELETE FROM t WHERE id > 310', change(7))
    const healed = await history.lose('the follower was not running', change(8), grow)
    const second = await history.commit(change(9), change(9), grow)
    const known = [base, ...first.map(({ lsn }) => lsn), healed.lsn, ...second.map(({ lsn }) => lsn)]
    const ends = [base, first.at(-1)?.lsn, healed.lsn, second.at(-1)?.lsn]
    for (const lsn of known) {
      const state = { by: 'lsn', lsn } as const
      const { estimate } = await planDatabaseRestore(history.repository, state)
      const targetPath = folder.file(`restored-${lsn}.db`)
      storage.forget()
      const { plan } = await restoreDatabase(history.repository, { state, targetPath })
      assert.deepEqual({ ...plan.estimate, durationMs: estimate.durationMs }, estimate)
      assert.equal(statSync(targetPath).size, estimate.bytesToWrite, `LSN ${lsn}`)
      const { fetched, requests } = storage
      assert.deepEqual([...fetched.keys()].sort(), plan.steps.map(({ key }) => key).sort())
      assert.equal(fetched.size, estimate.segments)
      // To leave a log early, its commits are read too.
      const leftEarly = ends.includes(lsn) ? 0 : 1
      assert.equal(requests, estimate.requests + leftEarly, `LSN ${lsn}`)
      const ranges = [...fetched.values()]
      const bytes = ranges.reduce((sum, each) => sum + distinct(each), 0)
      // The header is repeated at the end, and a log that is left early counts as a whole.
      const unread = estimate.bytesToFetch - bytes
      assert.ok(unread >= 0 && (leftEarly > 0 || unread <= headerLength * estimate.segments), `LSN ${lsn}: ${unread}`)
      const received = ranges.flat().reduce((sum, { start, end }) => sum + end - start, 0)
      assert.ok(received <= estimate.bytesToFetch + tailRead * estimate.segments, `LSN ${lsn}: ${received}`)
      assert.equal(await commitsIn(history.repository, plan), estimate.commitsToReplay)
    }
  })

  it('asks for as much space as it takes: with one block less it is refused before anything is fetched', {
    skip: whyNoSmallDisk(),
  }, async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(16)
    const storage = new WatchedStorage()
    await using repository = await Repository.init(storage)
    const history = await SqliteLogHistory.create(repository, folder.file('app.db'), schema)
    await history.commit(change(3), grow, change(5))
    const state = { by: 'latest' } as const
    const { estimate } = await planDatabaseRestore(history.repository, state)
    const restore = () => restoreDatabase(history.repository, { state, targetPath: disk.file('restored.db') })
    disk.fill(estimate.bytesToWrite - 4096)
    await assert.rejects(restore(), (error) => {
      assert.ok(error instanceof RestoreError)
      assert.deepEqual([error.code, error.phase], ['DISK_FULL', 'target'])
      return true
    })
    disk.fill(estimate.bytesToWrite)
    await restore()
    assert.equal(statSync(disk.file('restored.db')).size, estimate.bytesToWrite)
  })

  it('is right to the millisecond on a machine that always takes equally long, once that machine has restored once', async () => {
    using folder = temporaryFolder()
    await using repository = await Repository.init(new MemoryStorage())
    const history = await SqliteLogHistory.create(repository, folder.file('app.db'), schema)
    for (let batch = 0; batch < 3; batch += 1) {
      await history.commit(...Array.from({ length: 100 }, (_, i) => change(1 + i)))
    }
    const rateFile = new RateFile(folder.file('state'))
    const restoreTo = async (lsn: number) => {
      const machine = new SteadyMachine()
      const options = { state: { by: 'lsn', lsn }, targetPath: folder.file(`${lsn}.db`), force: true } as const
      const { plan } = await machine.run(history.repository, options, { rateFile, now: () => machine.time })
      return { estimated: plan.estimate.durationMs, took: machine.time }
    }
    const last = history.last.lsn
    const unknown = await restoreTo(last)
    assert.ok(Math.abs(unknown.estimated / unknown.took - 1) > 0.5, 'nothing is known of it yet')
    for (const lsn of [last, last - 150, last - 60]) {
      const { estimated, took } = await restoreTo(lsn)
      assert.ok(Math.abs(estimated - took) <= 1, `LSN ${lsn}: estimated ${estimated} ms, took ${took} ms`)
    }
  })
})

/** Commits of the plan's logs up to its target, as their commit tables tell. */
async function commitsIn(database: DatabaseRepository, plan: RestorePlan): Promise<number> {
  const { segments } = await database.catalog()
  let commits = 0
  for (const { key } of plan.steps) {
    const segment = segments.find((each) => each.key === key) ?? assert.fail()
    const table = await Array.fromAsync((await database.openSegment(segment)).commits())
    commits += table.filter(({ lsn }) => lsn <= plan.lsn).length
  }
  return commits
}

/** Takes a fixed time for each request, byte and commit, by a clock of its own. */
class SteadyMachine {
  time = 0

  async run(database: DatabaseRepository, options: RestoreOptions, parts: MeasuringParts): Promise<RestoreResult> {
    const { estimate } = await planDatabaseRestore(database, options.state)
    const { requests, bytesToWrite, commitsToReplay } = estimate
    // Told when a phase begins, or for replaying after its first step, it lets the time of all of it pass.
    const left = new Map([
      ['plan', 70 * requests],
      ['fetch', bytesToWrite / 20_000],
      ['replay', 9 * commitsToReplay],
      ['prove', bytesToWrite / 7_000],
    ])
    const onProgress = ({ phase }: Progress): void => {
      this.time += left.get(phase) ?? 0
      left.delete(phase)
    }
    return await measuredRestore(database, { ...options, onProgress }, parts)
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

function distinct(ranges: readonly Range[]): number {
  let [bytes, reached] = [0, 0]
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    bytes += Math.max(0, end - Math.max(start, reached))
    reached = Math.max(reached, end)
  }
  return bytes
}

/** Notes which parts of segments are read. */
class WatchedStorage extends MemoryStorage {
  readonly fetched = new Map<string, Range[]>()
  requests = 0

  forget(): void {
    this.fetched.clear()
    this.requests = 0
  }

  override async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const size = (await this.head(key))?.size ?? 0
    if (key.endsWith('.hfs')) {
      const range = resolveRange(size, options)
      this.fetched.set(key, [...(this.fetched.get(key) ?? []), range])
      this.requests += 1
    }
    yield* super.get(key, options)
  }
}
