import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Alive, isAllWell } from '../../../src/agent/notify/alive.ts'
import { Heartbeat } from '../../../src/agent/notify/heartbeat.ts'
import { startReceiver } from './support/http-receiver.ts'

const minute = 60_000

describe('a heartbeat that goes by the clock', () => {
  it('is told so often that all is well, and nothing while it is not', async () => {
    await using receiver = await startReceiver()
    await using heartbeat = new Heartbeat({ name: 'heart', url: `${receiver.url}/ping`, everyMs: 5 * minute })
    const alive = new Alive()
    const lag = { kind: 'lag', severity: 'warning' } as const
    for (const [now, firing] of [
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
