/** A capture ends at its n-th step, for every n: each file operation and each storage operation, by a kill or a power loss. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../support/random.ts'
import { Fuse } from './support/fuse.ts'
import { Rig } from './support/rig.ts'

/** How the database and its history are when the capture begins. */
const beginnings = {
  'that goes on': async (rig: Rig) => {
    const capture = await rig.follow()
    rig.database.commitRandom(seededRandom(41))
    await capture.sync()
    await capture.stop()
  },
  'that begins': async () => {},
  'that heals': async (rig: Rig) => {
    await beginnings['that goes on'](rig)
    rig.database.commitRandom(seededRandom(42))
    rig.database.reset()
  },
} as const

const ways = [
  { name: 'is killed before', losesPower: false, afterEffect: false },
  { name: 'is killed after', losesPower: false, afterEffect: true },
  { name: 'loses power before', losesPower: true, afterEffect: false },
] as const

for (const [beginning, prepare] of Object.entries(beginnings)) {
  describe(`a capture ${beginning} and ends at its n-th step`, () => {
    for (const { name, losesPower, afterEffect } of ways) {
      it(`${name} it: what was synced stays exact, nothing is lost or doubled, and no gap comes of it`, async () => {
        let crashes = 0
        for (let n = 0; ; n += 1) {
          const random = seededRandom(n)
          const rig = await Rig.make()
          await prepare(rig)
          const fuse = new Fuse(n)
          const synced = new Map<number, number>()
          if (await runUntilItDies(rig, fuse, afterEffect, random, synced)) crashes += 1
          if (losesPower) rig.files.losePower(random)
          await rig.freeLease()
          rig.database.commitRandom(random)
          const after = await rig.follow()
          await after.sync()
          await after.stop()
          const commits = await rig.check()
          const [first, last] = [Math.min(...commits.values()), Math.max(...commits.values())]
          assert.equal(last, rig.database.seq, `the newest commit is there (step ${n})`)
          for (const [lsn, seq] of synced) assert.equal(commits.get(lsn), seq, `what was synced at step ${n}`)
          if (prepare === beginnings['that goes on']) {
            assert.deepEqual([first, commits.size], [1, last], `every commit is there (step ${n})`)
            assert.deepEqual(rig.of('gap'), [], `no gap (step ${n})`)
          }
          assertOneGapAtMost(rig, prepare === beginnings['that heals'] ? 1 : 0, n)
          if (!fuse.isBlown) break
        }
        assert.ok(crashes > 40, `only ${crashes} steps`)
      })
    }
  })
}

/** Commits made between a base and the first position that was kept are a gap of the crash's making: the only one. */
function assertOneGapAtMost(rig: Rig, expected: number, step: number): void {
  const lost = new Set(rig.of('gap').map(({ fromLsn }) => fromLsn))
  assert.ok(lost.size <= expected + 1, `${lost.size} gaps (step ${step})`)
}

/** True if the process died. */
async function runUntilItDies(
  rig: Rig,
  fuse: Fuse,
  afterEffect: boolean,
  random: ReturnType<typeof seededRandom>,
  synced: Map<number, number>,
): Promise<boolean> {
  const dying = new AbortController()
  try {
    const capture = await rig.follow({ clock: mortal(rig, fuse), stopWaitMs: 0 }, fuse, afterEffect)
    for (let turn = 0; turn < 3 && !fuse.isBlown; turn += 1) {
      for (let count = 1 + random.below(3); count > 0; count -= 1) rig.database.commitRandom(random)
      const { seq } = rig.database
      const syncing = capture.sync({ signal: dying.signal }).then((lsn) => synced.set(lsn, seq))
      const death = untilBlown(fuse, dying.signal).then(() => dying.abort())
      await Promise.allSettled([syncing])
      if (!fuse.isBlown && dying.signal.aborted) throw new Error('It did not sync.')
      death.catch(() => {})
    }
    await capture.stop({ waitMs: 0 })
  } catch (error) {
    if (!fuse.isBlown) throw error
  } finally {
    dying.abort()
  }
  return fuse.isBlown
}

async function untilBlown(fuse: Fuse, signal: AbortSignal): Promise<void> {
  while (!fuse.isBlown && !signal.aborted) await new Promise((resolve) => setImmediate(resolve))
}

/** Nothing of a dead process waits for long. */
function mortal(rig: Rig, fuse: Fuse): Rig['clock'] {
  const { clock } = rig
  return Object.assign(Object.create(clock), {
    sleep: async (milliseconds: number, signal?: AbortSignal) =>
      await clock.sleep(fuse.isBlown ? Math.min(milliseconds, 50) : milliseconds, signal),
  })
}
