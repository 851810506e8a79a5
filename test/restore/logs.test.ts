/** Every commit of a history in logs, deltas and bases is restored exactly, by its LSN and by its time. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import { Repository } from '../../src/repository/repository.ts'
import { listRestorePoints } from '../../src/restore/restore-points.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { restoreToMemory } from '../scenarios/support/memory-restore.ts'
import { type KnownCommit, nextCommit, storeCommits } from '../support/log-history.ts'
import { PageSource } from '../support/page-source.ts'
import { seededRandom, testSeed } from '../support/random.ts'

const pageSize = 512
const seed = testSeed()

function fractions(from: number): () => number {
  const random = seededRandom(from)
  return () => random.below(2 ** 30) / 2 ** 30
}

async function history(
  random: () => number,
  segments: number,
): Promise<{ database: DatabaseRepository; commits: KnownCommit[] }> {
  const repository = await Repository.init(new MemoryStorage())
  const source = new PageSource().fill(6, 1)
  source.now = () => 1_000_000
  const { metadata } = await createBackup(source, repository, { type: 'full' })
  const database = repository.database('app')
  const commits: KnownCommit[] = [{ lsn: toLsn(metadata.lsn), time: 1_000_000, pages: source.pages }]
  for (let i = 0; i < segments; i += 1) {
    const before = commits.at(-1) ?? assert.fail()
    const batch: KnownCommit[] = []
    // A delta that nothing follows is what an interrupted backup leaves, and the next backup removes.
    const isDelta = i < segments - 1 && random() < 0.25
    const count = isDelta ? 1 : 1 + Math.floor(random() * 6)
    for (let n = 0; n < count; n += 1) batch.push(nextCommit(batch.at(-1) ?? before, random, pageSize))
    await storeCommits(database, before, batch, isDelta ? 'delta' : 'log', pageSize)
    commits.push(...batch)
    if (random() < 0.15 && !isDelta) {
      const last = commits.at(-1) ?? assert.fail()
      source.pages = last.pages.map((page) => Uint8Array.from(page))
      source.now = () => last.time
      const { metadata: backup } = await createBackup(source, repository, { type: 'incremental' })
      const next = { ...last, lsn: toLsn(backup.lsn) }
      commits.push(next)
    }
  }
  return { database, commits }
}

describe(`a history in logs (seed ${seed})`, () => {
  it('gives back every commit by its LSN', async () => {
    const random = fractions(seed)
    for (let round = 0; round < 4; round += 1) {
      const { database, commits } = await history(random, 12)
      for (const { lsn, pages } of commits) {
        assert.deepEqual(await restoreToMemory(database, { by: 'lsn', lsn }), Buffer.concat(pages), `LSN ${lsn}`)
      }
    }
  })

  it('gives back the newest commit of every moment, and the last one before it', async () => {
    const random = fractions(seed)
    const { database, commits } = await history(random, 25)
    const { windows } = await listRestorePoints(database)
    for (const { time } of commits) {
      const at = commits.findLast((commit) => commit.time <= time) ?? assert.fail()
      assert.deepEqual(await restoreToMemory(database, { by: 'time', time }), Buffer.concat(at.pages))
      const earlier = commits.findLast((commit) => commit.time < time)
      if (earlier !== undefined) {
        assert.deepEqual(
          await restoreToMemory(database, { by: 'time', time, before: true }),
          Buffer.concat(earlier.pages),
        )
      }
    }
    const inside = windows.find(({ kind, fromTime, toTime }) => kind === 'continuous' && toTime > fromTime + 10)
    assert.ok(inside, 'the history has a continuous window')
    const between = inside.fromTime + 5
    const state = commits.findLast((commit) => commit.time <= between) ?? assert.fail()
    assert.deepEqual(await restoreToMemory(database, { by: 'time', time: between }), Buffer.concat(state.pages))
  })

  it('is verified as a whole, and a damaged log is named', async () => {
    const random = fractions(seed)
    const { database } = await history(random, 10)
    const { repository } = database
    assert.equal((await verifyRepository(repository)).ok, true)
    const { segments } = await database.catalog()
    const log = segments.findLast(({ kind }) => kind === 'log') ?? assert.fail()
    await database.storage.delete(log.key)
    const state = { by: 'lsn', lsn: log.to } as const
    await assert.rejects(restoreToMemory(database, state), (error) => hasCode(error, 'NOT_RESTORABLE', 'INTEGRITY'))
  })

  it('refuses a moment inside a recorded gap, and names both sides', async () => {
    const random = fractions(seed)
    const { database, commits } = await history(random, 3)
    const before = commits.at(-1) ?? assert.fail()
    const after = { ...nextCommit(before, random, pageSize), time: before.time + 1_000 }
    await database.putGap({
      fromLsn: before.lsn,
      toLsn: after.lsn,
      fromTime: before.time,
      toTime: after.time,
      reason: 'not-running',
    })
    await storeCommits(database, before, [after], 'delta', pageSize)
    const next = { ...nextCommit(after, random, pageSize), time: after.time + 10 }
    await storeCommits(database, after, [next], 'log', pageSize)
    await assert.rejects(restoreToMemory(database, { by: 'time', time: before.time + 500 }), (error) => {
      assert.ok(hasCode(error, 'NOT_RESTORABLE'))
      assert.match(error.message, new RegExp(`LSN ${before.lsn} .*LSN ${after.lsn} `))
      return true
    })
    for (const { lsn, pages } of [before, after, next]) {
      assert.deepEqual(await restoreToMemory(database, { by: 'lsn', lsn }), Buffer.concat(pages))
    }
    const { gaps } = await listRestorePoints(database)
    assert.ok(gaps.some(({ reason }) => reason === 'not-running'))
  })
})
