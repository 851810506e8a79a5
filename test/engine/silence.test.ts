import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { looksInLimit, Silence } from '../../src/engine/silence.ts'

function looked(times: number, cpuTime: (look: number) => number | undefined): Silence {
  const silence = new Silence()
  for (let look = 0; look < times; look += 1) silence.look(cpuTime(look))
  return silence
}

/** The first look has nothing to compare with. */
const looksAtIdle = looksInLimit + 1

describe('the silence of an engine', () => {
  it('is too long when it did nothing for as many looks in a row', () => {
    assert.ok(!looked(looksAtIdle - 1, () => 7).isTooLong)
    assert.ok(looked(looksAtIdle, () => 7).isTooLong)
  })

  it('may be six times as long while it uses the processor, if only now and then', () => {
    for (const cpuTime of [(look: number) => look, (look: number) => Math.floor(look / (looksInLimit - 1))]) {
      assert.ok(!looked(6 * looksInLimit - 1, cpuTime).isTooLong)
      assert.ok(looked(6 * looksInLimit, cpuTime).isTooLong)
    }
  })

  it('may be so where the system does not tell what it uses', () => {
    assert.ok(!looked(6 * looksInLimit - 1, () => undefined).isTooLong)
    assert.ok(looked(6 * looksInLimit, () => undefined).isTooLong)
  })

  it('is never too long for one who says something often enough, whatever it uses', () => {
    const pauses = fc.array(fc.array(fc.option(fc.nat(3), { nil: undefined }), { maxLength: looksInLimit - 1 }))
    fc.assert(
      fc.property(pauses, (between) => {
        const silence = new Silence()
        for (const looks of between) {
          for (const cpuTime of looks) {
            silence.look(cpuTime)
            assert.ok(!silence.isTooLong)
          }
          silence.end()
        }
      }),
    )
  })
})
