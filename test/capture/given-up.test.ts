/** Commits were let go by, and whoever did so is gone before that was healed. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Capture } from '../../src/capture/capture.ts'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { seededRandom } from '../support/random.ts'
import { Fuse } from './support/fuse.ts'
import { Rig } from './support/rig.ts'

type Cause = 'the limit of the spool' | 'a full disk'
const causes: readonly Cause[] = ['the limit of the spool', 'a full disk']

/** A capture that keeps nothing any more after some state, and whose database's log was handed back since. */
async function givenUp(rig: Rig, cause: Cause, fuse = new Fuse()): Promise<{ capture: Capture; kept: number }> {
  const random = seededRandom(71)
  const capture = await rig.follow({ spoolLimitBytes: 2_000, handOff: { logBytes: 3_000 } }, fuse)
  rig.database.commitRandom(random)
  await capture.sync()
  if (cause === 'a full disk') rig.files.capacity = 0
  else rig.isAway = true
  const isGivenUp = () => capture.status.waiting.gaveUpAfter !== undefined
  while (!isGivenUp()) {
    rig.database.commitRandom(random)
    await rig.clock.sleep(300)
  }
  const handedOff = rig.of('handed-off').length
  for (let n = 0; n < 10; n += 1) {
    rig.database.commitRandom(random)
    await rig.clock.sleep(300)
  }
  await rig.until(() => rig.of('handed-off').length > handedOff)
  rig.database.commitRandom(random)
  return { capture, kept: capture.status.waiting.gaveUpAfter ?? assert.fail() }
}

/** The next capture, when everything is well again. */
async function goOn(rig: Rig): Promise<Capture> {
  rig.isAway = false
  rig.files.capacity = Number.POSITIVE_INFINITY
  await rig.freeLease()
  return await rig.follow()
}

const notes = (rig: Rig) => rig.files.paths.filter((path) => path.includes('gave-up'))

for (const cause of causes) {
  describe(`commits that were let go by because of ${cause}`, () => {
    for (const end of ['is stopped', 'is killed', 'loses power'] as const) {
      it(`are a gap with its true reason and times after the capture ${end}`, { timeout: 60_000 }, async () => {
        const rig = await Rig.make()
        const fuse = new Fuse()
        const { capture, kept } = await givenUp(rig, cause, fuse)
        if (end === 'is stopped') {
          const left = await capture.stop({ waitMs: 100 })
          assert.equal(left.gaveUpAfter, kept)
          assert.deepEqual(rig.of('stopped').at(-1)?.left, left)
        } else {
          fuse.blow()
          await capture.stop({ waitMs: 0 }).catch(() => {})
          if (end === 'loses power') rig.files.losePower(seededRandom(72))
        }
        assert.equal(notes(rig).length, 1)
        rig.events.length = 0
        rig.clock.time += 3_600_000
        await using next = await goOn(rig)
        const lsn = await next.sync()
        const [gap, another] = rig.of('gap')
        assert.equal(another, undefined)
        assert.deepEqual([gap?.fromLsn, gap?.toLsn, gap?.reason], [kept, lsn, gapReasons['spool-full']])
        assert.ok(gap !== undefined && gap.toTime - gap.fromTime >= 3_600_000)
        assert.equal((await rig.check()).get(lsn), rig.database.seq)
        assert.deepEqual(notes(rig), [])
        assert.equal(next.status.waiting.gaveUpAfter, undefined)
        const { gaps } = await (await rig.repository()).catalog()
        assert.equal(gaps.at(-1)?.reason, gapReasons['spool-full'])
      })
    }
  })
}

describe('commits that were given up', () => {
  it('are a gap also if they undid one another', async () => {
    const rig = await Rig.make()
    const { database } = rig
    const first = await rig.follow()
    const kept = [...database.pages]
    rig.files.capacity = 0
    database.commitRandom(seededRandom(75))
    await rig.until(() => first.status.waiting.gaveUpAfter !== undefined)
    await first.stop({ waitMs: 100 })
    database.pages = kept
    database.reset()
    await using _second = await goOn(rig)
    assert.deepEqual(
      rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [[1, 2, gapReasons['spool-full']]],
    )
  })

  it('are no gap if the log still has them at the next start, nor is a later gap laid at their door', async () => {
    const rig = await Rig.make()
    const random = seededRandom(73)
    const first = await rig.follow()
    rig.database.commitRandom(random)
    await first.sync()
    rig.files.capacity = 0
    rig.database.commitRandom(random)
    await rig.until(() => first.status.waiting.gaveUpAfter !== undefined)
    await first.stop({ waitMs: 100 })
    const second = await goOn(rig)
    const kept = await second.sync()
    assert.equal(rig.of('started').at(-1)?.how, 'resumed')
    assert.deepEqual([rig.of('gap'), notes(rig)], [[], []])
    assert.equal((await rig.check()).get(kept), rig.database.seq)
    await second.stop()
    rig.database.reset()
    rig.database.commitRandom(random)
    await using third = await rig.follow()
    await third.sync()
    assert.equal(rig.of('gap').at(-1)?.reason, gapReasons['log-reset'])
  })

  it('are told also if they cannot be noted', async () => {
    const rig = await Rig.make()
    const files = rig.files.as()
    const create: typeof files.create = (path) => {
      if (!path.includes('gave-up')) return files.create(path)
      return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
    }
    await using capture = await rig.follow({ files: { ...files, create } })
    rig.files.capacity = 0
    rig.database.commitRandom(seededRandom(76))
    await rig.until(() => capture.status.waiting.gaveUpAfter !== undefined)
    const warnings = rig.of('warning').map(({ message }) => message)
    assert.ok(warnings.includes('That commits are given up could not be noted: EIO'), warnings.join())
    rig.files.capacity = Number.POSITIVE_INFINITY
    assert.equal((await rig.check()).size, 1)
    await capture.sync()
    assert.equal(rig.of('gap').at(-1)?.reason, gapReasons['spool-full'])
  })

  it('are told once, and tried again ever more rarely while the disk stays full', { timeout: 60_000 }, async () => {
    const rig = await Rig.make()
    const random = seededRandom(74)
    await using capture = await rig.follow()
    rig.files.capacity = 0
    const start = rig.clock.now()
    while (rig.clock.now() - start < 3_600_000) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(20_000)
    }
    const times = rig.of('spool-full').length
    assert.ok(times > 3 && times < 20, `${times} tries in an hour`)
    rig.files.capacity = Number.POSITIVE_INFINITY
    const lsn = await capture.sync()
    assert.equal((await rig.check()).get(lsn), rig.database.seq)
  })
})
