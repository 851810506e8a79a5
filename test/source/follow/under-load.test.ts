import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { checkOracle, createOracleDatabase, type OracleOptions } from '../../support/oracle.ts'
import { seededRandom, testSeed } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { drainAll, FollowedCopy } from './followed-copy.ts'

const shapes: readonly OracleOptions[] = [
  { pageSize: 512, autoVacuum: 'none' },
  { pageSize: 1024, autoVacuum: 'full' },
  { pageSize: 4096, autoVacuum: 'incremental' },
  { pageSize: 8192, autoVacuum: 'none', encoding: 'UTF-16le' },
  { pageSize: 65536, autoVacuum: 'incremental' },
]

test('every commit of a database under full load is taken, exactly', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  for (const [index, shape] of shapes.entries()) {
    await t.test(`pages of ${shape.pageSize}, auto_vacuum ${shape.autoVacuum}`, async () => {
      using folder = temporaryFolder()
      const path = folder.file('app.db')
      createOracleDatabase(path, shape)
      const random = seededRandom(seed + index)
      await using writer = await WriterProcess.start({ path, seed: seed + index })
      await using other = await WriterProcess.start({ path, seed: seed - index - 1 })
      await using follower = await sqlite(path).openFollower({ busyTimeoutMs: 20_000 })
      const copy = await FollowedCopy.begin(follower)
      let last = copy.check(folder.file('copy.db'))
      copy.onCommit = () => {
        if (!random.chance(2)) return
        const seq = copy.check(folder.file('copy.db'))
        assert(seq >= last, 'commits come in order')
        last = seq
      }
      const end = performance.now() + 1500
      while (performance.now() < end) {
        const choice = random.below(10)
        if (choice === 0) {
          assert.equal((await follower.handOff(copy)).lost, undefined)
        } else if (choice === 1) {
          assert.deepEqual((await follower.audit(copy, {})).equal, true)
        } else {
          assert.equal((await follower.drain(copy)).lost, undefined)
        }
        if (random.chance(30)) await sleep(random.below(20))
        else await follower.wait(50)
      }
      assert(writer.isRunning && other.isRunning, 'no writer failed')
      const newest = Math.max(await writer.stop(), await other.stop())
      await drainAll(follower, copy)
      assert.equal(copy.check(folder.file('copy.db')), newest)
      assert.equal(copy.withoutFormer, 0, 'every former page was to be had')
      assert((await follower.handOff(copy)).complete, 'with nobody writing, a hand-off is complete')
      assert.equal((await follower.audit(copy)).equal, true)
      assert(copy.commits > 20, `${copy.commits} commits`)
      await follower[Symbol.asyncDispose]()
      assert.equal(checkOracle(path), newest, 'the live database is unharmed')
    })
  }
})
