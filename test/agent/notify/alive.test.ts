import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Alive, isAllWell } from '../../../src/agent/notify/alive.ts'
import { Heartbeat } from '../../../src/agent/notify/heartbeat.ts'
import { startReceiver } from './support/http-receiver.ts'

const minute = 60_000

describe('a heartbeat that goes by the clock', () => {
  /** The times, of those at which it could have been, at which it was told. */
  const toldAt = (times: readonly number[], everyMs: number, alive = new Alive()): number[] => {
    const told: number[] = []
    for (const now of times)
      alive.tell([{ settings: { name: 'heart', url: '', everyMs }, alive: () => told.push(now) }], [], now)
    return told
  }
  const seconds = (from: number, to: number) =>
    Array.from({ length: (to - from) / 1000 + 1 }, (_, index) => from + index * 1000)

  it('is not told before the agent has run for a minute, or for as long as it waits, so that one that starts again and again is missed', () => {
    for (let start = 0; start < 10 * minute; start += 50_000)
      assert.deepEqual(toldAt(seconds(start, start + 49_000), 5 * minute), [])
    assert.deepEqual(toldAt(seconds(0, 6 * minute), 5 * minute), [minute, 6 * minute])
    assert.deepEqual(toldAt(seconds(0, minute), 20_000), [20_000, 40_000, 60_000])
  })

  it('is told at once when it was configured anew, and waits again when the clock was set back', () => {
    const alive = new Alive()
    assert.deepEqual(toldAt([0, minute], 5 * minute, alive), [minute])
    const another: number[] = []
    alive.tell([{ settings: { name: 'new', url: '', everyMs: minute }, alive: () => another.push(1) }], [], minute + 1)
    assert.equal(another.length, 1)
    assert.deepEqual(toldAt([-minute, -1, 0], 5 * minute, alive), [0])
  })

  it('is told so often that all is well, and nothing while it is not', async () => {
    await using receiver = await startReceiver()
    await using heartbeat = new Heartbeat({ name: 'heart', url: `${receiver.url}/ping`, everyMs: 5 * minute })
    const alive = new Alive()
    const lag = { kind: 'lag', severity: 'warning' } as const
    for (const [now, firing] of [
      [-minute, []],
      [0, []],
      [4 * minute, []],
      [5 * minute, []],
      [10 * minute, [lag]],
      [14 * minute, [lag]],
      [14.5 * minute, []],
    ] as const) {
      alive.tell([heartbeat], firing, now)
      await heartbeat.idle()
    }
    assert.equal(receiver.received.length, 3)
    assert.ok(receiver.received.every(({ path }) => path.startsWith('/ping?rid=')))
    assert.equal(heartbeat.concerns({ kind: 'backup', repository: '', trigger: 'schedule' }), false)
  })

  it('is not told by those that go by operations', () => {
    const heartbeat = { settings: { name: 'heart', url: 'https://x' }, alive: () => assert.fail() }
    new Alive().tell([heartbeat], [], 0)
  })

  it('counts what is critical, and commits that wait, as not well; other warnings do not matter', () => {
    assert.ok(isAllWell([{ kind: 'drill', severity: 'warning' }]))
    assert.ok(!isAllWell([{ kind: 'failure', severity: 'critical' }]))
    assert.ok(!isAllWell([{ kind: 'spool', severity: 'warning' }]))
  })
})
