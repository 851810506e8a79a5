/** The laws of rolling verification, over random comings and goings of objects. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chooseNext } from '../../src/verify/choose-next.ts'
import { testSeed } from '../support/random.ts'

/** A repository whose objects come and go, and what is remembered of their checks; the clock goes by runs. */
class World {
  readonly objects = new Set<string>()
  readonly checkedAt = new Map<string, string>()
  readonly waitingSince = new Map<string, string>()
  run = 0

  add(...keys: string[]): this {
    for (const key of keys) this.objects.add(key)
    return this
  }

  remove(key: string): void {
    this.objects.delete(key)
    this.checkedAt.delete(key)
    this.waitingSince.delete(key)
  }

  /** @param stopAfter as when the time is over */
  check(subset: number, stopAfter = Number.POSITIVE_INFINITY): string[] {
    this.run += 1
    const now = new Date(Date.UTC(2026, 0, this.run)).toISOString()
    const history = {
      checkedAt: (key: string) => this.checkedAt.get(key),
      waitingSince: (key: string) => this.waitingSince.get(key),
    }
    const objects = [...this.objects].map((key) => ({ key }))
    const chosen = chooseNext(history, objects, { subset, now })
      .map(({ key }) => key)
      .slice(0, stopAfter)
    for (const key of chosen) this.checkedAt.set(key, now)
    for (const key of this.objects)
      if (!this.checkedAt.has(key) && !this.waitingSince.has(key)) this.waitingSince.set(key, now)
    return chosen
  }
}

const names = (from: number, count: number) => Array.from({ length: count }, (_, i) => `object-${from + i}`)
const subset = fc.double({ min: 0.01, max: 1, noNaN: true })
const seed = testSeed()
const numRuns = 300

function law(name: string, property: fc.IProperty<never> | fc.IRawProperty<unknown>): void {
  it(`${name} (HOLDFAST_SEED=${seed})`, () => fc.assert(property, { seed, numRuns }))
}

describe('the choice of what to verify next', () => {
  law(
    'checks everything within ceil(1 / subset) runs, if nothing comes or goes',
    fc.property(fc.integer({ min: 1, max: 150 }), subset, (count, part) => {
      const world = new World().add(...names(0, count))
      const seen = new Set<string>()
      for (let run = 0; run < Math.ceil(1 / part); run++) for (const key of world.check(part)) seen.add(key)
      assert.equal(seen.size, count)
    }),
  )

  law(
    'and goes on so, whatever was checked before',
    fc.property(
      fc.integer({ min: 1, max: 80 }),
      subset,
      fc.array(fc.nat(80), { maxLength: 20 }),
      (count, part, stops) => {
        const world = new World().add(...names(0, count))
        for (const stop of stops) world.check(1, stop)
        const seen = new Set<string>()
        const fresh = [...world.objects].filter((key) => !world.checkedAt.has(key)).length
        // New ones take turns with old ones, so that at most as many old ones are checked twice as there are new ones.
        for (let run = 0; run < Math.ceil((count + fresh) / Math.ceil(count * part - 1e-9)); run++)
          for (const key of world.check(part)) seen.add(key)
        assert.equal(seen.size, count)
      },
    ),
  )

  law(
    'takes the share that was asked for, each object once',
    fc.property(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 100 }), (count, percent) => {
      const chosen = new World().add(...names(0, count)).check(percent / 100)
      assert.equal(chosen.length, Math.max(0, Math.ceil((count * percent) / 100 - 1e-9)))
      assert.equal(new Set(chosen).size, chosen.length)
    }),
  )

  law(
    'takes what is new at least at every second place, wherever it stops',
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), subset, (old, young, part) => {
      const world = new World().add(...names(0, old))
      world.check(1)
      world.add(...names(1000, young))
      const chosen = world.check(part)
      for (let stop = 1; stop <= chosen.length; stop++) {
        const fresh = chosen.slice(0, stop).filter((key) => Number(key.slice(7)) >= 1000).length
        assert.ok(fresh >= Math.min(Math.floor(stop / 2), young), `${fresh} of the first ${stop}`)
      }
    }),
  )

  law(
    'passes nothing over for ever, while new objects keep coming and others vanish',
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 1, max: 60 }),
      subset,
      fc.infiniteStream(fc.nat(1000)),
      (kept, coming, part, random) => {
        const world = new World().add(...names(0, kept))
        const draw = () => random.next().value ?? 0
        let next = 1000
        let most = 0
        const lastSeen = new Map(names(0, kept).map((key) => [key, 0]))
        for (let run = 1; run <= 120; run++) {
          world.add(...names(next, coming))
          next += coming
          // Expiry takes the oldest; compaction any, and leaves one object in their place.
          const comers = [...world.objects].filter((key) => !lastSeen.has(key))
          for (const key of comers.slice(0, Math.max(0, comers.length - 2 * coming))) world.remove(key)
          for (const key of comers.slice(-2 * coming)) if (draw() % 7 === 0) world.remove(key)
          most = Math.max(most, world.objects.size)
          for (const key of world.check(part)) if (lastSeen.has(key)) lastSeen.set(key, run)
          const places = Math.max(1, Math.floor((kept * part) / 2))
          for (const [key, seen] of lastSeen)
            assert.ok(run - seen <= Math.ceil(most / places) + 1, `${key} waits since run ${seen} at run ${run}`)
        }
      },
    ),
  )

  it('checks again what a clock that was wrong has dated in the future', () => {
    const history = {
      checkedAt: (key: string) => (key === 'a' ? '2031-01-01T00:00:00.000Z' : '2026-01-01T00:00:00.000Z'),
      waitingSince: () => undefined,
    }
    const chosen = chooseNext(history, [{ key: 'b' }, { key: 'a' }], { subset: 0.5, now: '2026-02-01T00:00:00.000Z' })
    assert.deepEqual(chosen, [{ key: 'a' }])
  })
})
