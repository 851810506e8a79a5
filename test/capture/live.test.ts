/** The real thing: a process that writes at full speed, and a capture that is stopped, broken off and started again. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { isReachable, reachableLsns } from '../../src/history/reachable.ts'
import { rollUpLogs } from '../../src/maintenance/roll-up/roll-up-logs.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { checkOracle, createOracleDatabase } from '../support/oracle.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { WriterProcess } from '../support/writer-process.ts'
import { imageAt } from './support/check-history.ts'

describe('following a live SQLite database', () => {
  it('restores any commit exactly as it was, over restarts of the capture', { timeout: 120_000 }, async () => {
    const seed = testSeed()
    console.log(`seed ${seed}`)
    const random = seededRandom(seed)
    using folder = temporaryFolder()
    const path = folder.file('live.db')
    createOracleDatabase(path)
    await using repository = await Repository.init(new MemoryStorage())
    const events: CaptureEvent[] = []
    const follow = () =>
      followDatabase(sqlite(path), repository, {
        stateFolder: folder.file('state'),
        syncIntervalMs: 200,
        handOff: { logBytes: 1024 * 1024 },
        auditIntervalMs: 1_000,
        rollUp: (database) => rollUpLogs(database),
        rollUpEvery: 10,
        onEvent: (event) => events.push(event),
      })
    await using writer = await WriterProcess.start({ path, seed })
    for (let turn = 0; turn < 3; turn += 1) {
      const capture = await follow()
      for (let n = 0; n < 4; n += 1) {
        await delay(300)
        await capture.sync()
      }
      await capture.stop()
    }
    const lastCapture = await follow()
    const newest = await writer.stop()
    const end = await lastCapture.sync()
    await lastCapture.stop()

    const database = repository.database('live')
    const { segments } = await database.catalog()
    const reachable = reachableLsns(segments)
    const restore = async (lsn: number): Promise<number> => {
      const restored = folder.file('restored.db')
      writeFileSync(restored, await imageAt(database, toLsn(lsn), segments))
      return checkOracle(restored)
    }
    assert.equal(await restore(end), newest)
    for (let n = 0; n < 12; n += 1) {
      const lsn = 1 + random.below(end - 1)
      if (!isReachable(reachable, toLsn(lsn)) || !isReachable(reachable, toLsn(lsn + 1))) continue
      const [before, after] = [await restore(lsn), await restore(lsn + 1)]
      const isGap = events.some((event) => event.kind === 'gap' && event.fromLsn <= lsn && event.toLsn > lsn)
      assert.ok(isGap || after - before <= 1, `LSN ${lsn} is commit ${before}, and the next is ${after}`)
      assert.ok(after >= before)
    }
    assert.ok(end > 30, `only ${end} commits`)
    console.log(
      `${end} commits, ${newest} of the oracle, ${segments.length} segments, ${events.filter(({ kind }) => kind === 'handed-off').length} hand-offs, gaps: ${events.flatMap((event) => (event.kind === 'gap' ? event.reason : [])).join(', ')}`,
    )
    const problems = events.filter(({ kind }) => kind === 'retrying' || kind === 'spool-full')
    assert.deepEqual(problems, [])
  })
})
