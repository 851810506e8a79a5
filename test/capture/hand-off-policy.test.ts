import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HandOffPolicy } from '../../src/capture/hand-off-policy.ts'
import type { HandOffResult } from '../../src/source/follower.ts'

const settings = { handOffBytes: 1000, handOffAgeMs: 60_000 }
const done: HandOffResult = { complete: true, obstacle: undefined, lockHeldMs: 1, framesBefore: 9, framesLeft: 0 }
const heldBack = (obstacle: 'reader' | 'writers'): HandOffResult => ({
  ...done,
  complete: false,
  obstacle,
  framesLeft: 5,
})

/** Milliseconds from each of so many failures to the next attempt, and the numbers of those that were worth a warning. */
function fail(policy: HandOffPolicy, obstacle: 'reader' | 'writers', times: number) {
  const waits: number[] = []
  const warned: number[] = []
  for (let time = 1, now = 0; time <= times; time++) {
    if (policy.done(heldBack(obstacle), now) !== undefined) warned.push(time)
    const due = policy.dueAt(5000, now) ?? Number.NaN
    waits.push(due - now)
    now = due
  }
  return { waits, warned }
}

describe('when the log is handed back', () => {
  it('at once when it is large, after a while when it is small, never when it is empty', () => {
    const policy = new HandOffPolicy(settings)
    assert.equal(policy.dueAt(0, 0), undefined)
    assert.equal(policy.dueAt(10, 5), 60_005)
    assert.equal(policy.dueAt(1000, 7), 7)
    assert.equal(policy.done(done, 8), undefined)
    assert.equal(policy.dueAt(10, 9), 60_009)
  })

  it('a reader that stands in the way is given more and more time', () => {
    const { waits, warned } = fail(new HandOffPolicy(settings), 'reader', 12)
    assert.deepEqual(waits.slice(0, 4), [250, 500, 1000, 2000])
    assert.equal(waits.at(-1), 60_000)
    assert.deepEqual(warned, [6, 12])
  })

  it('writers that leave no moment for it are tried again soon, for the log grows while they write', () => {
    const { waits, warned } = fail(new HandOffPolicy(settings), 'writers', 45)
    assert.deepEqual(waits.slice(0, 3), [20, 40, 80])
    assert.equal(waits.at(-1), 160)
    assert.deepEqual(warned, [20, 40])
  })

  it('another obstacle, and a success, begin the count anew', () => {
    const policy = new HandOffPolicy(settings)
    fail(policy, 'reader', 4)
    assert.deepEqual(fail(policy, 'writers', 1), { waits: [20], warned: [] })
    assert.deepEqual(fail(policy, 'reader', 4).warned, [])
    policy.done(done, 0)
    assert.deepEqual(fail(policy, 'reader', 2), { waits: [250, 500], warned: [] })
  })

  it('a clock that was set back does not put it off for longer', () => {
    const policy = new HandOffPolicy(settings)
    policy.done(heldBack('reader'), 1_000_000)
    assert.equal(policy.dueAt(5000, 500), 60_500)
  })

  it('says what is in the way', () => {
    const policy = new HandOffPolicy(settings)
    const warningAfter = (times: number, obstacle: 'reader' | 'writers') => {
      for (let time = 1; time < times; time++) assert.equal(policy.done(heldBack(obstacle), 0), undefined)
      return policy.done(heldBack(obstacle), 0)
    }
    const reader = warningAfter(6, 'reader')
    assert.match(reader?.message ?? '', /6 times in a row.*a reader on an old state; 5 frames cannot be copied\.$/)
    assert.match(reader?.hint ?? '', /read transaction/)
    const writers = warningAfter(20, 'writers')
    assert.match(writers?.message ?? '', /20 times in a row.*write without a pause/)
    assert.match(writers?.hint ?? '', /write transaction/)
  })
})
