import assert from 'node:assert/strict'
import { it } from 'node:test'
import { StopBudget } from '../../src/agent/stop-budget.ts'

/** What each part of a stop is given, and how long all takes, if only some of them use up what they may. */
function stop(timeoutMs: number, hangs: (part: keyof StopBudget) => boolean) {
  let time = 1_000
  const budget = new StopBudget(timeoutMs, () => time)
  const pass = (part: keyof StopBudget, mostMs: number): void => {
    if (hangs(part)) time += mostMs
  }
  pass('rounds', budget.rounds())
  pass('control', budget.control())
  const { graceMs, endMs } = budget.runs()
  pass('runs', endMs)
  const { uploadMs, hangMs } = budget.following()
  pass('following', uploadMs + hangMs)
  const recordsMs = budget.records()
  pass('records', recordsMs)
  return { graceMs, endMs, uploadMs, hangMs, recordsMs, tookMs: time - 1_000 }
}

const timeouts = [0, 500, 2_000, 30_000, 600_000]

it('a stop takes hardly longer than it may, whatever hangs', () => {
  for (const timeoutMs of timeouts) assert.ok(stop(timeoutMs, () => true).tookMs <= timeoutMs + 6_000, `${timeoutMs}`)
})

it('a worker that hangs has some seconds, and what is written down a moment', () => {
  for (const timeoutMs of timeouts) {
    const { tookMs, recordsMs } = stop(timeoutMs, (part) => part === 'following')
    assert.ok(tookMs <= timeoutMs + 3_000, `${timeoutMs}`)
    assert.ok(recordsMs >= 2_000)
  }
})

it('what runs has half of the time, and leaves following some', () => {
  const { graceMs, endMs, uploadMs, hangMs } = stop(30_000, (part) => part === 'runs')
  assert.deepEqual([graceMs, endMs, uploadMs, hangMs], [15_000, 20_000, 10_000, 3_000])
  for (const timeoutMs of timeouts) assert.ok(stop(timeoutMs, () => true).hangMs > 0)
})

it('what ends at once leaves all of the time to following', () => {
  assert.deepEqual(stop(30_000, () => false).uploadMs, 30_000)
})
