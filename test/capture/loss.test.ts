import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LossReason } from '../../src/source/follower.ts'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

describe('a capture that loses continuity', () => {
  const reasons: LossReason[] = ['log-reset', 'file-replaced', 'frames-vanished', 'page-missing', 'audit-failed']
  for (const reason of reasons) {
    it(`heals by itself: ${reason}`, async () => {
      const rig = await Rig.make()
      const random = seededRandom(11)
      await using capture = await rig.follow()
      rig.database.commitRandom(random)
      await capture.sync()
      rig.database.loseNext = reason
      for (let n = 0; n < 3; n += 1) rig.database.commitRandom(random)
      await capture.sync()
      rig.database.commitRandom(random)
      await capture.sync()
      const commits = await rig.check()
      assert.equal(commits.get(capture.status.lsn), rig.database.seq)
      assert.equal(rig.of('gap').length, 1)
      assert.ok(rig.of('warning').length > 0)
    })
  }

  it('finds by its audit that something was missed, and heals that', async () => {
    const rig = await Rig.make()
    const random = seededRandom(12)
    await using capture = await rig.follow({ auditIntervalMs: 1_000 })
    rig.database.commitRandom(random)
    await capture.sync()
    rig.database.changeBehindTheLog(2, 77)
    rig.clock.time += 2_000
    await capture.sync()
    const { lsn } = capture.status
    const commits = await rig.check()
    assert.equal(commits.get(lsn), rig.database.seq)
    assert.equal(rig.of('gap')[0]?.reason, 'the database was not what its log had said')
  })

  it('stores a new base when the page size changed', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    rig.database.loseNext = 'page-size-changed'
    rig.database.pageSize = 1024
    rig.database.fill(5, 9)
    rig.database.commit(new Map())
    await capture.sync()
    const database = await rig.repository()
    const { segments } = await database.catalog()
    assert.equal(segments.filter(({ kind }) => kind === 'base').length, 2)
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
  })

  it('takes a commit again, once, when the engine broke off within it', async () => {
    for (const pages of [0, 2, 4]) {
      const rig = await Rig.make()
      await using capture = await rig.follow({ maxBatchBytes: 2_000 })
      const random = seededRandom(13)
      rig.database.commitRandom(random)
      rig.database.failAfterPages = { pages: pages + 2, error: new Error('The disk hiccuped.') }
      const changes = new Map([1, 2, 3, 4, 5, 6].map((page) => [page, random.bytes(512)]))
      rig.database.commit(changes)
      rig.database.commitRandom(random)
      await capture.sync()
      const commits = await rig.check()
      assert.deepEqual([...commits.values()], [1, 2, 3, 4])
      assert.deepEqual(rig.of('gap'), [])
      assert.equal(rig.of('retrying').length, 1)
    }
  })
})
