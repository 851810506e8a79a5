import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OperationStart } from '../../../src/agent/journal/operation.ts'
import type { Delivery } from '../../../src/agent/notify/delivery/channel-queue.ts'
import { Heartbeat, type HeartbeatSettings } from '../../../src/agent/notify/heartbeat.ts'
import type { Clock } from '../../../src/capture/clock.ts'
import { startReceiver } from './support/http-receiver.ts'

/** Sleeps are noted, and over at once. */
class HastyClock implements Clock {
  readonly slept: number[] = []
  now = () => 0
  random = () => 0
  sleep = async (milliseconds: number) => {
    this.slept.push(milliseconds)
  }
}

function aHeartbeat(url: string, more: Partial<HeartbeatSettings> = {}) {
  const deliveries: Delivery[] = []
  const clock = new HastyClock()
  const heartbeat = new Heartbeat(
    { name: 'heart', url, ...more },
    { clock, onDelivery: (delivery) => deliveries.push(delivery) },
  )
  return { heartbeat, deliveries, clock }
}

describe('a heartbeat', () => {
  test('tells the start, the success and the failure of a run, in order and with one id a run', async () => {
    await using receiver = await startReceiver()
    await using heartbeat = aHeartbeat(`${receiver.url}/ping/uuid/?key=1`).heartbeat
    const first = heartbeat.started()
    heartbeat.ended(first, { outcome: 'succeeded' })
    const second = heartbeat.started()
    const log = `${'x'.repeat(20_000)} the end of the log`
    heartbeat.ended(second, { outcome: 'failed', message: 'The disk is full.' }, log)
    await heartbeat.idle()
    assert.deepEqual(
      receiver.received.map(({ method, path }) => [method, path]),
      [
        ['POST', `/ping/uuid/start?key=1&rid=${first}`],
        ['POST', `/ping/uuid/?key=1&rid=${first}`],
        ['POST', `/ping/uuid/start?key=1&rid=${second}`],
        ['POST', `/ping/uuid/fail?key=1&rid=${second}`],
      ],
    )
    const body = receiver.received.at(-1)?.body ?? ''
    assert.match(body, /x the end of the log\nThe disk is full\.$/)
    assert.equal(body.length, 10_000)
  })

  test('says nothing of a run that was interrupted: the service waits for the one that makes up for it', async () => {
    await using receiver = await startReceiver()
    await using heartbeat = aHeartbeat(receiver.url).heartbeat
    heartbeat.ended(heartbeat.started(), { outcome: 'interrupted' })
    await heartbeat.idle()
    assert.deepEqual(
      receiver.received.map(({ path }) => path.split('?')[0]),
      ['/start'],
    )
  })

  test('tries again where that may help, a few times', async () => {
    await using receiver = await startReceiver((response, _request, nth) =>
      response.writeHead(nth < 3 ? 503 : 200).end(),
    )
    const { heartbeat, deliveries, clock } = aHeartbeat(receiver.url)
    heartbeat.started()
    await heartbeat.idle()
    assert.deepEqual(
      deliveries.map(({ result }) => result),
      ['retrying', 'retrying', 'sent'],
    )
    assert.deepEqual(clock.slept, [2000, 4000])

    await using gone = await startReceiver((response) => response.writeHead(404).end())
    const unknown = aHeartbeat(gone.url)
    unknown.heartbeat.started()
    await unknown.heartbeat.idle()
    assert.deepEqual(
      unknown.deliveries.map(({ result }) => result),
      ['failed'],
    )

    await using broken = await startReceiver((response) => response.writeHead(500).end())
    const hopeless = aHeartbeat(broken.url)
    hopeless.heartbeat.started()
    await hopeless.heartbeat.idle()
    assert.deepEqual(
      hopeless.deliveries.map(({ result }) => result),
      ['retrying', 'retrying', 'retrying', 'failed'],
    )
    assert.equal(hopeless.heartbeat.deliveries.last?.problem, `${broken.url} answered 500`)
  })

  test('keeps only the newest pings while the service is slow', async () => {
    const waiting: (() => void)[] = []
    await using receiver = await startReceiver((response) => waiting.push(() => response.writeHead(200).end()))
    const { heartbeat } = aHeartbeat(receiver.url)
    for (let i = 0; i < 100; i += 1) heartbeat.started()
    const drain = setInterval(() => {
      for (const answer of waiting.splice(0)) answer()
    }, 1)
    await heartbeat.idle()
    clearInterval(drain)
    assert.ok(receiver.received.length <= 21, String(receiver.received.length))
  })

  test('concerns the scheduled operations that it was made for', () => {
    const scheduled: OperationStart = {
      kind: 'backup',
      database: 'app',
      repository: 'x',
      trigger: 'schedule',
      schedule: 'daily',
    }
    const concerns = (settings: Partial<HeartbeatSettings>, operation: Partial<OperationStart> = {}) =>
      aHeartbeat('http://127.0.0.1:1', settings).heartbeat.concerns({ ...scheduled, ...operation })
    assert.equal(concerns({}), true)
    assert.equal(concerns({}, { trigger: 'catch-up' }), true)
    assert.equal(concerns({}, { trigger: 'manual' }), false)
    assert.equal(concerns({ database: 'app' }), true)
    assert.equal(concerns({ database: 'other' }), false)
    assert.equal(concerns({ schedule: 'daily' }), true)
    assert.equal(concerns({ schedule: 'weekly' }), false)
  })

  test('is not waited for when the agent stops', async () => {
    await using receiver = await startReceiver(() => {})
    const { heartbeat } = aHeartbeat(receiver.url)
    heartbeat.started()
    await heartbeat[Symbol.asyncDispose]()
    heartbeat.started()
    assert.equal(heartbeat.deliveries.last, undefined)
  })
})
