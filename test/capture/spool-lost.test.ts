/** Files of the spool that somebody removed while they waited for the repository. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { readFooter } from '../../src/capture/spool/spool-footer.ts'
import { HoldfastError } from '../../src/errors.ts'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

/** A capture with several segments in its spool, none of which the repository has. */
async function waiting(rig: Rig, seed: number, segments: number) {
  const random = seededRandom(seed)
  const capture = await rig.follow()
  rig.database.commitRandom(random)
  await capture.sync()
  rig.isAway = true
  while (capture.status.waiting.segments < segments) {
    rig.database.commitRandom(random)
    await rig.clock.sleep(400)
  }
  return { capture, random }
}

const spooled = (rig: Rig) => rig.files.paths.filter((path) => path.startsWith('/state/spool/'))

describe('a spool that has lost a file', () => {
  for (const [which, at] of [
    ['the first', 0],
    ['one in the midst', 1],
    ['the last', -1],
  ] as const) {
    it(`heals the database and records the gap: ${which}`, { timeout: 60_000 }, async () => {
      const rig = await Rig.make()
      const { capture, random } = await waiting(rig, 61, 3)
      const lost = spooled(rig).at(at)
      assert.ok(lost)
      rig.files.remove(lost)
      const syncing = capture.sync()
      rig.isAway = false
      const lsn = await syncing
      const gap = rig.of('gap').at(-1)
      assert.equal(gap?.reason, gapReasons['spool-damaged'])
      assert.ok(rig.of('warning').some(({ message }) => message.includes(lost)))
      rig.database.commitRandom(random)
      const last = await capture.sync()
      assert.deepEqual(await capture.stop(), { segments: 0, bytes: 0 })
      const commits = await rig.check()
      assert.equal(commits.get(last), rig.database.seq)
      assert.equal(commits.get(lsn), rig.database.seq - 1)
      assert.deepEqual(spooled(rig), [])
      rig.database.commitRandom(random)
      await using again = await rig.follow()
      await again.sync()
      assert.equal(rig.of('started').at(-1)?.how, 'resumed')
      assert.equal(rig.of('gap').length, 1, 'what was lost is told once')
    })
  }

  it('stores a new base all the same, where that is needed meanwhile', { timeout: 60_000 }, async () => {
    const rig = await Rig.make()
    const { capture, random } = await waiting(rig, 63, 2)
    const [first] = spooled(rig)
    assert.ok(first)
    rig.database.loseNext = 'page-size-changed'
    rig.database.pageSize = 1024
    rig.database.fill(5, 9)
    rig.database.commit(new Map())
    await rig.clock.sleep(400)
    rig.files.remove(first)
    rig.isAway = false
    rig.database.commitRandom(random)
    await capture.sync()
    await capture.stop()
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
  })

  it('records what was lost also where a new base is needed only after that was noticed', {
    timeout: 60_000,
  }, async () => {
    const rig = await Rig.make()
    const { capture } = await waiting(rig, 63, 2)
    const [first] = spooled(rig)
    assert.ok(first)
    rig.database.busy = new HoldfastError('DATABASE_BUSY', 'Somebody has it.')
    rig.files.remove(first)
    rig.isAway = false
    while (spooled(rig).length > 0) await rig.clock.sleep(400)
    rig.database.pageSize = 1024
    rig.database.fill(5, 9)
    rig.database.commit(new Map())
    rig.database.busy = undefined
    await capture.sync()
    await capture.stop()
    const commits = await rig.check()
    assert.equal(commits.get(capture.status.lsn), rig.database.seq)
  })

  it('has lost nothing that the repository has already', { timeout: 60_000 }, async () => {
    const rig = await Rig.make()
    const { capture } = await waiting(rig, 62, 1)
    const [path] = spooled(rig)
    assert.ok(path)
    const name = path.slice(path.lastIndexOf('/') + 1, -'.spool'.length)
    const content = rig.files.contentOf(path)
    assert.ok(content)
    const { segmentBytes } = await readFooter(await rig.files.as().open(path))
    await rig.storage.put(`databases/app/segments/${name}`, content.subarray(0, segmentBytes))
    rig.files.remove(path)
    rig.isAway = false
    await capture.sync()
    await capture.stop()
    assert.deepEqual(rig.of('gap'), [])
    assert.equal((await rig.check()).size, rig.database.seq)
  })
})
