import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NotifyConfig } from '../../../src/agent/config/config.ts'
import { healthReport } from '../../../src/agent/notify/health.ts'
import type { HeartbeatSettings } from '../../../src/agent/notify/heartbeat.ts'
import { Heartbeats } from '../../../src/agent/notify/heartbeats.ts'
import { startReceiver } from './support/http-receiver.ts'

const minute = 60_000

function heartbeat(name: string, settings: Omit<HeartbeatSettings, 'name'>): NotifyConfig {
  return { type: 'heartbeat', name, settings: { name, ...settings } }
}

function scene(...notify: NotifyConfig[]) {
  let now = 0
  const warnings: string[] = []
  const delivered: string[] = []
  const heartbeats = new Heartbeats(notify, {
    clock: { now: () => now, random: () => 0, sleep: async () => {} },
    onDelivery: ({ channel, result }) => void delivered.push(`${channel} ${result}`),
    warn: (message) => void warnings.push(message),
  })
  const shown = () =>
    heartbeats.status.map(({ name, deliveries: { lastSentAt, lastFailure, failingSince } }) => {
      return [name, lastSentAt, lastFailure?.at, failingSince]
    })
  return {
    heartbeats,
    warnings,
    delivered,
    shown,
    /** As the agent does in its rounds. */
    tellAt: async (time: number) => {
      now = time
      heartbeats.tellAlive([], now)
      await Promise.all(heartbeats.all.map((each) => each.idle()))
    },
    health: () => healthReport([], { channels: [], heartbeats: heartbeats.status }),
  }
}

describe('the heartbeats of an agent', () => {
  it('say when they were last sent, when that failed last, and since when nothing gets through', async () => {
    let status = 200
    await using receiver = await startReceiver((response) => response.writeHead(status).end())
    const { heartbeats, tellAt, shown, health, warnings, delivered } = scene(
      heartbeat('heart', { url: `${receiver.url}/secret`, everyMs: 5 * minute }),
    )
    await using _ = heartbeats
    await tellAt(0)
    assert.deepEqual(
      shown(),
      [['heart', undefined, undefined, undefined]],
      'one that crashes at once must not say that',
    )
    await tellAt(minute)
    assert.deepEqual(shown(), [['heart', minute, undefined, undefined]])
    assert.equal(health().status, 'ok')
    status = 404
    await tellAt(6 * minute)
    await tellAt(11 * minute)
    assert.deepEqual(shown(), [['heart', minute, 11 * minute, 6 * minute]])
    const { status: verdict, problems } = health()
    assert.equal(verdict, 'warning')
    assert.deepEqual(
      problems.map(({ key, summary, since }) => [key, summary, Date.parse(since)]),
      [['heartbeat/heart', `The heartbeat "heart" does not get through: ${receiver.url} answered 404`, 6 * minute]],
    )
    assert.deepEqual(warnings, [problems[0]?.summary], 'it is said once')
    assert.deepEqual(delivered, ['heart sent', 'heart failed', 'heart failed'])
    status = 200
    await tellAt(16 * minute)
    assert.deepEqual(shown(), [['heart', 16 * minute, 11 * minute, undefined]])
    assert.equal(health().status, 'ok')
    status = 404
    await tellAt(21 * minute)
    assert.equal(warnings.length, 2)
  })

  it('that stay as they are know after a change of the configuration what they knew, and are told no sooner', async () => {
    await using receiver = await startReceiver()
    const stays = heartbeat('stays', { url: `${receiver.url}/stays`, everyMs: 5 * minute })
    const moves = (path: string) => heartbeat('moves', { url: `${receiver.url}/${path}` })
    const { heartbeats, tellAt, shown } = scene(stays, moves('old'))
    await using _ = heartbeats
    const [, former] = heartbeats.all
    await tellAt(0)
    await tellAt(minute)
    await heartbeats.reconfigure([moves('new'), stays])
    assert.deepEqual(shown(), [
      ['moves', undefined, undefined, undefined],
      ['stays', minute, undefined, undefined],
    ])
    former?.started()
    await tellAt(2 * minute)
    assert.deepEqual(
      receiver.received.map(({ path }) => path.split('?')[0]),
      ['/stays'],
    )
  })
})
