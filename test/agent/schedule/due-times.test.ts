import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { DueTimes } from '../../../src/agent/schedule/due-times.ts'

it('items come in the order of their latest times, each once, whatever was set and deleted before', () => {
  const step = fc.tuple(fc.constantFrom('set', 'set', 'set', 'delete', 'take'), fc.nat(20), fc.nat(50))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const times = new DueTimes<number>()
      const model = new Map<number, number>()
      for (const [kind, item, at] of steps) {
        if (kind === 'set') {
          times.set(item, at)
          model.set(item, at)
        } else if (kind === 'delete') {
          times.delete(item)
          model.delete(item)
        } else {
          const taken = times.takeDue(at)
          const least = Math.min(...model.values())
          if (taken === undefined) assert.ok(least > at)
          else {
            assert.equal(model.get(taken), least)
            assert.ok(least <= at)
            model.delete(taken)
          }
        }
        assert.equal(times.earliest, model.size === 0 ? undefined : Math.min(...model.values()))
        assert.equal(times.has(item), model.has(item))
      }
    }),
    { numRuns: 300 },
  )
})
