/** A healing delta that is larger than the disk of the spool goes straight to the repository, as a base does. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Capture } from '../../src/capture/capture.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { seededRandom } from '../support/random.ts'
import { Fuse } from './support/fuse.ts'
import { Rig } from './support/rig.ts'

/** More than the little room can take, however it is compressed. */
const manyPages = 60
const littleRoom = 8_000

const used = (rig: Rig) => rig.files.paths.reduce((sum, path) => sum + (rig.files.contentOf(path)?.byteLength ?? 0), 0)

function leaveLittleRoom(rig: Rig, bytes = littleRoom): void {
  rig.files.capacity = used(rig) + bytes
}

function rewriteAll(rig: Rig, seed: number): void {
  const { database } = rig
  const random = seededRandom(seed)
  const pages = Array.from({ length: manyPages }, (_, at) => [at + 1, random.bytes(database.pageSize)] as const)
  database.commit(new Map(pages), manyPages)
}

/** A capture that stopped in order, after which the whole database was rewritten and its log reset. */
async function leftBehind(): Promise<Rig> {
  const rig = await Rig.make()
  rewriteAll(rig, 81)
  const first = await rig.follow()
  rig.database.commitRandom(seededRandom(82))
  await first.sync()
  await first.stop()
  rewriteAll(rig, 83)
  rig.database.reset()
  leaveLittleRoom(rig)
  return rig
}

/** The newest state is there, and small commits are kept again. */
async function assertGoesOn(rig: Rig, capture: Capture): Promise<void> {
  const first = await capture.sync()
  const { seq } = rig.database
  rig.database.commit(new Map())
  const last = await capture.sync()
  assert.equal(last, first + 1)
  const commits = await rig.check()
  assert.deepEqual([commits.get(first), commits.get(last)], [seq, seq + 1])
}

describe('a healing delta that the spool has no room for', () => {
  it('is stored while following goes on', async () => {
    const rig = await Rig.make()
    rewriteAll(rig, 84)
    await using capture = await rig.follow()
    await capture.sync()
    leaveLittleRoom(rig)
    rewriteAll(rig, 85)
    await rig.until(() => rig.of('spool-full').length > 0)
    await assertGoesOn(rig, capture)
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [[1, 2, gapReasons['spool-full']]],
    )
    assert.equal(rig.of('uploaded')[0]?.lsn, 2)
    assert.deepEqual(rig.of('retrying'), [])
    assert.equal(rig.of('spool-full').length, 1)
  })

  it('is stored at a start', async () => {
    const rig = await leftBehind()
    await using capture = await rig.follow()
    assert.equal(rig.of('started').at(-1)?.how, 'healed')
    await assertGoesOn(rig, capture)
    assert.equal(rig.of('gap').at(-1)?.reason, gapReasons['log-reset'])
    await capture.stop()
    await using _again = await rig.follow()
    assert.equal(rig.of('started').at(-1)?.how, 'resumed')
  })

  it('is stored at a start after what waits in the spool', async () => {
    const rig = await Rig.make()
    rewriteAll(rig, 86)
    const first = await rig.follow()
    await first.sync()
    rig.isAway = true
    rig.database.commit(new Map([[5, seededRandom(87).bytes(512)]]), manyPages)
    assert.equal((await first.stop({ waitMs: 0 })).segments, 1)
    const kept = rig.database.seq
    rig.isAway = false
    await rig.freeLease()
    rewriteAll(rig, 88)
    rig.database.reset()
    // What is uploaded makes no room for it either.
    leaveLittleRoom(rig)
    // Slow, so that it is still there when the delta is to be spooled.
    rig.latencyMs = 200
    await using capture = await rig.follow()
    await assertGoesOn(rig, capture)
    assert.equal((await rig.check()).get(2), kept)
  })

  it('waits for the repository without holding the database', async () => {
    const rig = await Rig.make()
    rewriteAll(rig, 89)
    await using capture = await rig.follow()
    await capture.sync()
    leaveLittleRoom(rig)
    rewriteAll(rig, 90)
    await rig.until(() => rig.of('spool-full').length > 0)
    rig.isAway = true
    await rig.until(() => capture.status.trouble !== null)
    assert.equal(rig.database.followers, 0)
    rig.isAway = false
    await assertGoesOn(rig, capture)
  })

  it('is stored even if there is no room at all: then the position cannot be saved, and it is said', async () => {
    const rig = await leftBehind()
    leaveLittleRoom(rig, 0)
    await using capture = await rig.follow()
    assert.ok(rig.of('warning').some(({ message }) => message.startsWith('The position could not be saved')))
    rig.files.capacity = Number.POSITIVE_INFINITY
    await assertGoesOn(rig, capture)
  })

  it('is not of a database without a log, whose writers would have to wait for the repository: it says that the disk is full', async () => {
    const rig = await Rig.make()
    rig.database.hasLog = false
    rewriteAll(rig, 91)
    await using capture = await rig.follow({ deltaIntervalMs: 100 })
    await capture.sync()
    leaveLittleRoom(rig)
    rewriteAll(rig, 92)
    const synced = capture.sync()
    await rig.until(() => rig.of('retrying').some(({ message }) => /No space left/.test(message)))
    rig.files.capacity = Number.POSITIVE_INFINITY
    const lsn = await synced
    assert.equal((await rig.check()).get(lsn), rig.database.seq)
  })

  it('leaves an exact history if the capture dies at its n-th step, by a kill or a power loss', async () => {
    for (const losesPower of [false, true]) {
      let crashes = 0
      for (let n = 0; ; n += 1) {
        const rig = await leftBehind()
        const fuse = new Fuse(n)
        const kept = new Set((await rig.check()).keys())
        try {
          const capture = await rig.follow({}, fuse)
          await capture.sync()
          await capture.stop()
        } catch {
          crashes += 1
        }
        if (losesPower) rig.files.losePower(seededRandom(n))
        leaveLittleRoom(rig)
        await rig.freeLease()
        await using next = await rig.follow()
        await assertGoesOn(rig, next)
        const commits = await rig.check()
        for (const lsn of kept) assert.ok(commits.has(lsn), `LSN ${lsn} after step ${n}`)
        if (!fuse.isBlown) break
      }
      assert.ok(crashes > 30, `only ${crashes} steps`)
    }
  })

  it('leaves an exact history if the n-th operation of the repository fails', async () => {
    for (const moment of ['before', 'after', 'midway'] as const) {
      for (let failAt = 0; ; failAt += 1) {
        const rig = await leftBehind()
        const storage = new FaultStorage(rig.storage, { failAt, moment })
        try {
          const repository = await Repository.open(storage)
          const options = { stateFolder: '/state', clock: rig.clock, files: rig.files.as(), syncIntervalMs: 50 }
          const capture = await followDatabase(rig.database, repository, options)
          await capture.sync()
          await capture.stop()
        } catch (error) {
          assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error))
        }
        await rig.freeLease()
        await using next = await rig.follow()
        await assertGoesOn(rig, next)
        if (!storage.tripped) break
      }
    }
  })

  it('keeps the reason of the loss, however often it must be tried', async () => {
    const rig = await Rig.make()
    rewriteAll(rig, 84)
    await using capture = await rig.follow({ handOff: { logBytes: 1e9, ageMs: 1e12 } })
    rig.database.commitRandom(seededRandom(5))
    await capture.sync()
    rig.database.busy = new HoldfastError('DATABASE_BUSY', 'busy')
    rig.database.failAfterPages = { pages: 0, error: rig.database.busy }
    rig.database.commitRandom(seededRandom(6))
    await rig.until(() => rig.of('retrying').length > 1)
    rewriteAll(rig, 85)
    rig.database.reset()
    leaveLittleRoom(rig)
    rig.isAway = true
    const before = rig.of('retrying').length
    rig.database.busy = undefined
    rig.database.failAfterPages = undefined
    await rig.until(() => rig.of('retrying').length > before + 1)
    rig.isAway = false
    await capture.sync()
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, reason }) => [fromLsn, reason]),
      [[2, gapReasons['log-reset']]],
    )
    await rig.check()
  })
})
