/** A full backup by a follower that goes on where one that died had been: its base tells of a state that the other one took. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { HoldfastError } from '../../src/errors.ts'
import { restorableWindows } from '../../src/history/windows.ts'
import { compactDatabase } from '../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { MortalProcess } from '../scenarios/support/mortal-process.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { MemoryFiles } from './support/memory-files.ts'

const day = 86_400_000

class AwayStorage extends MemoryStorage {
  isAway = false

  override async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    if (this.isAway && key.includes('/segments/')) throw new HoldfastError('STORAGE_TRANSIENT', 'It is away.')
    return await super.put(key, body, options)
  }
}

describe('a full backup after the death of the former follower', () => {
  for (const isSpooled of [false, true]) {
    const where = isSpooled ? 'of which the last waited in the spool' : 'all of which were in the repository'
    it(`takes no commit from its logs, ${where}`, { timeout: 60_000 }, async () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      await using sql = await SqlProcess.open(path)
      await sql.query('PRAGMA journal_mode = WAL', 'CREATE TABLE t (a)')
      const storage = new AwayStorage()
      const files = new MemoryFiles()
      await Repository.init(storage)
      const options = { stateFolder: '/state', syncIntervalMs: 20 }
      const first = await MortalProcess.begin(storage, files)
      await first.follow(sqlite(path), options)
      for (let n = 1; n <= 3; n += 1) {
        storage.isAway = isSpooled && n > 1
        await sql.query(`INSERT INTO t VALUES (${n})`)
        if (!storage.isAway) await first.capture?.sync()
        else while (first.capture?.status.lsn !== 1 + n) await pause(5)
      }
      await first.die()
      storage.isAway = false

      const second = await MortalProcess.begin(storage, files)
      await using _ = { [Symbol.asyncDispose]: () => second.stop() }
      await second.follow(sqlite(path), options)
      const made = await second.capture?.backUp({ type: 'full' })
      assert.equal(made?.metadata.lsn, 4)
      const { database } = second
      const windows = async () => {
        const { segments, gaps } = await database.catalog()
        return restorableWindows(segments, gaps).windows.map((window) => [window.fromLsn, window.toLsn])
      }
      assert.deepEqual(await windows(), [[1, 4]])
      await sql.query('INSERT INTO t VALUES (4)')
      await second.capture?.sync()
      const epochs = (await database.catalog()).segments.map(({ epoch }) => epoch)
      assert.ok(new Set(epochs).size > 1, 'the second follower has the epoch of the first')
      const upkeep = { now: Date.now(), graceMs: 0 }
      await second.capture?.exclusively(async (own, lease) => {
        await expireDatabase(own, { last: 10, window: 7 * day }, { ...upkeep, lease })
        await compactDatabase(own, { ...upkeep, lease })
      })
      assert.deepEqual(await windows(), [[1, 5]])
      assert.deepEqual((await verifyRepository(database.repository)).findings, [])
    })
  }
})
