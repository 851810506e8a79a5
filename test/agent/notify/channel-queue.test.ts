import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../../src/agent/notify/alert.ts'
import { DeliveryError } from '../../../src/agent/notify/channels/delivery-error.ts'
import { webhook } from '../../../src/agent/notify/channels/webhook.ts'
import { ChannelQueue, type Delivery } from '../../../src/agent/notify/delivery/channel-queue.ts'
import { defaultRateLimit } from '../../../src/agent/notify/delivery/rate-limit.ts'
import { alertsOf, type Message, messageText, messageTitle } from '../../../src/agent/notify/message.ts'
import { anAlert, day, hour, minute } from './support/alerts.ts'
import { startReceiver } from './support/http-receiver.ts'
import { ManualClock, turns } from './support/manual-clock.ts'

const aMany = (count: number, changes: Partial<Alert> = {}): Alert[] =>
  Array.from({ length: count }, (_, i) =>
    anAlert({
      key: `overdue/${i}`,
      kind: 'overdue',
      incident: `overdue/${i}@1`,
      summary: `${i} is overdue.`,
      ...changes,
    }),
  )

/** A channel that takes what it likes, and its queue. */
function scene(refuse: (alerts: readonly Alert[]) => DeliveryError | undefined) {
  const clock = new ManualClock()
  const messages: Message[] = []
  const attempts: Message[] = []
  const deliveries: Delivery[] = []
  const queue = new ChannelQueue({
    name: 'a',
    channel: {
      type: 'webhook',
      target: 'https://example.com',
      send: async (message) => {
        attempts.push(message)
        const error = refuse(alertsOf(message))
        if (error !== undefined) throw error
        messages.push(message)
      },
    },
    limit: defaultRateLimit,
    clock,
    onDelivery: (delivery) => void deliveries.push(delivery),
    onChange: () => {},
  })
  const keys = () => messages.map((message) => alertsOf(message).map(({ key, state }) => `${state} ${key}`))
  return { clock, queue, messages, attempts, deliveries, keys }
}

const busy = () => new DeliveryError('Busy.', 'https://example.com', true)
const tooLarge = () => new DeliveryError('Too much.', 'https://example.com', false, { tooLarge: true })

describe('a storm', () => {
  it('is told by its worst alerts, the others being counted; and every end, in as many messages as that takes', async () => {
    const { clock, queue, messages } = scene(() => undefined)
    const ends = aMany(120).map((alert) => ({ ...alert, key: `${alert.key}/end`, state: 'recovered' }) as const)
    queue.offer([...ends, ...aMany(100, { severity: 'warning' }), ...aMany(30)])
    await clock.pass(hour)
    const [first = assert.fail(), ...others] = messages
    assert.equal(alertsOf(first).length, 50)
    assert.equal(alertsOf(first).filter(({ severity }) => severity === 'critical').length, 30)
    assert.equal(messageTitle(first), '130 alerts at once.')
    assert.match(messageText(first, { host: 'db1' }), /\n… and 80 more\.\n/)
    assert.deepEqual(others.map(messageTitle), [
      '50 recoveries at once.',
      '50 recoveries at once.',
      '20 recoveries at once.',
    ])
    const told = others.flatMap(alertsOf).map(({ key }) => key)
    assert.deepEqual(
      told,
      ends.map(({ key }) => key),
    )
  })

  it('is told in smaller messages to a receiver that refuses large ones, and nothing of it is given up', async () => {
    const { clock, queue, messages, attempts, deliveries } = scene((alerts) =>
      alerts.length > 9 ? tooLarge() : undefined,
    )
    queue.offer(aMany(500))
    await clock.pass(minute)
    assert.deepEqual(
      attempts.map((message) => alertsOf(message).length),
      [50, 25, 12, 6],
    )
    assert.deepEqual(messages.map(messageTitle), ['500 alerts at once.'])
    queue.offer(aMany(40, { state: 'recovered' }))
    await clock.pass(hour)
    assert.equal(messages.flatMap(alertsOf).length, 6 + 40)
    assert.ok(messages.every((message) => alertsOf(message).length <= 6))
    assert.ok(deliveries.every(({ result }) => result === 'sent'))
    assert.equal(queue.waiting.length, 0)
  })

  it('gets through to a webhook that answers 413 to what is larger than 20 kB', async () => {
    await using receiver = await startReceiver((response, { body }) =>
      response.writeHead(body.length > 20_000 ? 413 : 204).end(),
    )
    const clock = new ManualClock()
    const queue = new ChannelQueue({
      name: 'a',
      channel: webhook({ url: receiver.url }, { host: 'db1' }),
      limit: defaultRateLimit,
      clock,
      onDelivery: ({ result, problem }) => assert.equal(result, 'sent', problem),
      onChange: () => {},
    })
    queue.offer(aMany(500))
    await queue.idle()
    const taken = receiver.received.map(({ body }) => JSON.parse(body)).at(-1)
    assert.equal(taken.alerts.length + taken.dropped, 500)
    assert.ok(taken.alerts.length >= 12, 'it is halved, not given up')
    assert.equal(queue.deliveries.last?.result, 'sent')
  })

  it('is given up, one alert after the other and ever more slowly, where even one is too large, and that is said', async () => {
    const { clock, queue, deliveries, attempts } = scene(tooLarge)
    queue.offer(aMany(20))
    await clock.pass(minute)
    assert.ok(attempts.length < 40, `${attempts.length} attempts in a minute`)
    await clock.pass(2 * hour)
    assert.equal(queue.waiting.length, 0)
    assert.deepEqual(
      deliveries.map(({ result, problem }) => `${result} ${problem}`),
      Array.from({ length: 20 }, () => 'failed Too much.'),
    )
  })

  it('loses nothing by the alerts in it that are too large for the receiver even alone', async () => {
    const isLong = ({ summary }: Alert) => summary.length > 1000
    const { clock, queue, keys, deliveries } = scene((alerts) => (alerts.some(isLong) ? tooLarge() : undefined))
    const long = (key: string) => anAlert({ key, kind: 'overdue', summary: 'x'.repeat(1001) })
    queue.offer([long('overdue/long'), long('overdue/longer'), ...aMany(30)])
    await clock.pass(minute)
    assert.deepEqual(
      deliveries.map(({ result }) => result),
      ['failed', 'failed', 'sent'],
    )
    assert.deepEqual(
      keys(),
      [aMany(30).map(({ key }) => `firing ${key}`)],
      'each of the others is told by name, in one message',
    )
    assert.equal(queue.waiting.length, 0)
  })
})

describe('a message that never gets through', () => {
  it('holds up no other for long, and is given up after a day', async () => {
    const { clock, queue, keys, deliveries } = scene((alerts) =>
      alerts.some(({ key }) => key === 'overdue/bad') ? busy() : undefined,
    )
    const about = (key: string, more: Partial<Alert> = {}) => anAlert({ key, kind: 'overdue', at: clock.time, ...more })
    queue.offer([about('overdue/bad'), about('overdue/good')])
    await clock.pass(minute)
    assert.deepEqual(keys(), [['firing overdue/good']])
    await clock.pass(3 * hour)
    queue.offer([about('overdue/bad', { state: 'recovered' }), about('overdue/other')])
    await clock.pass(5 * minute)
    assert.deepEqual(keys().slice(1), [['firing overdue/other']], 'its end is not told before its beginning')
    await clock.pass(2 * day)
    assert.equal(queue.waiting.length, 0)
    assert.ok(deliveries.some(({ result }) => result === 'failed'))
  })

  it('comes first again where all of them failed, as where the receiver was away', async () => {
    let isAway = true
    const { clock, queue, keys, attempts } = scene(() => (isAway ? busy() : undefined))
    queue.offer(aMany(2))
    await clock.pass(3 * hour)
    assert.ok(attempts.length < 60, 'two messages are not tried more often than one')
    isAway = false
    await clock.pass(6 * minute)
    await turns()
    assert.deepEqual(keys().flat().sort(), ['firing overdue/0', 'firing overdue/1'])
  })
})
