import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '../../../src/agent/notify/channels/channel.ts'
import { DeliveryError } from '../../../src/agent/notify/channels/delivery-error.ts'
import type { Observation } from '../../../src/agent/notify/engine/advance.ts'
import { healthReport } from '../../../src/agent/notify/health.ts'
import { type Message, messageText, messageTitle } from '../../../src/agent/notify/message.ts'
import { type ChannelSetup, Notifier, type NotifierOptions } from '../../../src/agent/notify/notifier.ts'
import { aborted } from '../../../src/util/abort.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aCondition, day, hour, minute } from './support/alerts.ts'
import { ManualClock, turns } from './support/manual-clock.ts'

type Behaviour = 'takes' | 'busy' | 'refuses' | 'hangs'

/** A channel that does as it is told. */
class FakeChannel implements Channel {
  readonly type = 'webhook'
  readonly target = 'https://example.com'
  readonly messages: Message[] = []
  readonly ids: string[] = []
  attempts = 0
  behaviour: Behaviour = 'takes'
  retryAfterMs: number | undefined

  async send(message: Message, id: string, signal: AbortSignal): Promise<void> {
    this.attempts += 1
    if (this.behaviour === 'hangs') {
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(aborted(signal)), { once: true })
      return await promise
    }
    const { retryAfterMs } = this
    if (this.behaviour === 'busy') throw new DeliveryError('Busy.', this.target, true, { retryAfterMs })
    if (this.behaviour === 'refuses') throw new DeliveryError('No.', this.target, false)
    this.messages.push(message)
    this.ids.push(id)
  }

  get titles(): string[] {
    return this.messages.map(messageTitle)
  }
}

const broken: Observation = { what: 'present', condition: aCondition() }
const mended: Observation = { what: 'absent', key: aCondition().key }
const brokenTitle = 'Critical: The incremental backup of app failed: The disk is full.'
const many = (count: number): Observation[] =>
  Array.from({ length: count }, (_, i) => ({
    what: 'present',
    condition: aCondition({ key: `overdue/${i}`, kind: 'overdue', database: String(i), summary: `${i} is overdue.` }),
  }))

interface Bench extends AsyncDisposable {
  readonly notifier: Notifier
  readonly clock: ManualClock
  readonly warnings: string[]
}

async function open(
  folder: string,
  channels: readonly ChannelSetup[],
  clock = new ManualClock(),
  more: Partial<NotifierOptions> = {},
): Promise<Bench> {
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(message)
  const notifier = await Notifier.open({ folder, channels, clock, warn, ...more })
  return { notifier, clock, warnings, [Symbol.asyncDispose]: () => notifier[Symbol.asyncDispose]() }
}

describe('the notifier', () => {
  test('tells what is due by now when others say that all is well', async () => {
    using folder = temporaryFolder()
    // It sleeps on, as where a machine is too busy to wake it in time.
    const clock = new (class extends ManualClock {
      override sleep(_milliseconds: number, signal?: AbortSignal): Promise<void> {
        return super.sleep(Number.MAX_SAFE_INTEGER, signal)
      }
    })()
    const fired: string[] = []
    const onAlert = ({ key }: { readonly key: string }) => void fired.push(key)
    await using bench = await open(folder.path, [], clock, { onAlert })
    const waiting = aCondition({ key: 'lag/app', kind: 'lag' })
    bench.notifier.observe([{ what: 'present', condition: waiting, delayMs: minute }])
    const allIsWell: Observation = { what: 'absent', key: 'failure/backup/other' }
    bench.notifier.observe([allIsWell])
    assert.deepEqual(fired, [])
    await clock.pass(2 * minute)
    bench.notifier.observe([allIsWell])
    assert.deepEqual(fired, ['lag/app'])
  })

  test('tells every channel that wants to know', async () => {
    using folder = temporaryFolder()
    const channels = {
      all: new FakeChannel(),
      drills: new FakeChannel(),
      failures: new FakeChannel(),
      ends: new FakeChannel(),
      other: new FakeChannel(),
    }
    await using bench = await open(folder.path, [
      { name: 'all', channel: channels.all },
      { name: 'drills', channel: channels.drills, filter: { topics: ['drill', 'recovery'] } },
      { name: 'failures', channel: channels.failures, filter: { topics: ['failure'], severity: 'critical' } },
      { name: 'ends', channel: channels.ends, filter: { topics: ['recovery'] } },
      { name: 'other', channel: channels.other, filter: { databases: ['other'] } },
    ])
    bench.notifier.observe([broken])
    await turns()
    bench.notifier.observe([mended])
    await turns()
    const over = `Over after 0 ms: The incremental backup of app failed: The disk is full.`
    assert.deepEqual(channels.all.titles, [brokenTitle, over])
    assert.deepEqual(channels.drills.titles, [])
    assert.deepEqual(channels.failures.titles, [brokenTitle])
    assert.deepEqual(channels.ends.titles, [over])
    assert.deepEqual(channels.other.titles, [])
  })

  test('reminds by itself, and calls what has settled over', async () => {
    using folder = temporaryFolder()
    const channel = new FakeChannel()
    await using bench = await open(folder.path, [{ name: 'a', channel }])
    const lag: Observation = { what: 'present', condition: aCondition({ key: 'lag/app', kind: 'lag' }) }
    bench.notifier.observe([broken, lag])
    await bench.clock.pass(day + minute)
    bench.notifier.observe([{ what: 'absent', key: 'lag/app' }])
    await bench.clock.pass(10 * minute)
    assert.deepEqual(
      channel.messages.map((message) =>
        message.type === 'alert' ? [message.alert.kind, message.alert.reminder, message.alert.state] : [],
      ),
      [
        ['failure', 0, 'firing'],
        ['lag', 0, 'firing'],
        ['failure', 1, 'firing'],
        ['lag', 1, 'firing'],
        ['lag', 1, 'recovered'],
      ],
    )
  })

  test('makes one summary of a storm', async () => {
    using folder = temporaryFolder()
    const channel = new FakeChannel()
    await using bench = await open(folder.path, [{ name: 'a', channel }])
    bench.notifier.observe(many(5000))
    await bench.clock.pass(hour)
    assert.deepEqual(channel.titles, ['5000 alerts at once.'])
    const [message] = channel.messages
    const text = message === undefined ? '' : messageText(message, { host: 'db1' })
    assert.match(text, /\n- Critical: 4500 is overdue\.\n/)
    assert.match(text, /\n… and 4950 more\.\n/)
    assert.ok(text.length < 10_000)
    assert.equal(bench.notifier.firing.length, 5000)
  })

  test('does not send more messages than allowed, and loses nothing', async () => {
    using folder = temporaryFolder()
    const channel = new FakeChannel()
    const limit = { messages: 3, perMs: 10 * minute }
    await using bench = await open(folder.path, [{ name: 'a', channel, limit }])
    for (let i = 0; i < 20; i += 1) {
      bench.notifier.observe(many(i + 1))
      await bench.clock.pass(minute)
    }
    await bench.clock.pass(hour)
    assert.ok(channel.messages.length <= 9, `${channel.titles}`)
    const told = channel.messages.flatMap((message) =>
      message.type === 'alert' ? [message.alert] : message.type === 'summary' ? message.alerts : [],
    )
    assert.equal(new Set(told.map(({ key }) => key)).size, 20)
  })

  test('tries again, ever more slowly, and as late as it was asked to', async () => {
    using folder = temporaryFolder()
    const channel = new FakeChannel()
    channel.behaviour = 'busy'
    const deliveries: string[] = []
    await using bench = await open(folder.path, [{ name: 'a', channel }], new ManualClock(), {
      onDelivery: ({ channel, result, problem }) => deliveries.push(`${channel} ${result} ${problem ?? ''}`.trim()),
    })
    bench.notifier.observe([broken])
    const waits: number[] = []
    for (let i = 0; i < 11; i += 1) {
      await turns()
      const wait = bench.clock.waits.find((milliseconds) => milliseconds !== minute) ?? 0
      waits.push(wait)
      await bench.clock.pass(wait)
    }
    assert.deepEqual(waits.slice(0, 5), [1000, 2000, 4000, 8000, 16_000])
    channel.retryAfterMs = hour
    await bench.clock.pass(5 * minute)
    const { attempts } = channel
    await bench.clock.pass(hour - minute)
    assert.equal(channel.attempts, attempts)
    channel.behaviour = 'takes'
    await bench.clock.pass(minute)
    assert.deepEqual(channel.titles, [brokenTitle])
    assert.deepEqual([deliveries[0], deliveries.at(-1)], ['a retrying Busy.', 'a sent'])
    assert.match(
      bench.warnings[0] ?? '',
      /^A notification through a did not get through and will be tried again: Busy\.$/,
    )
  })

  test('gives up what is refused, or could not be sent for a day, and says so', async () => {
    using folder = temporaryFolder()
    const refusing = new FakeChannel()
    refusing.behaviour = 'refuses'
    const busy = new FakeChannel()
    busy.behaviour = 'busy'
    await using bench = await open(folder.path, [
      { name: 'refusing', channel: refusing, filter: { topics: ['failure'] } },
      { name: 'busy', channel: busy, filter: { topics: ['drill'] } },
    ])
    const drill = aCondition({ key: 'drill/app', kind: 'drill' })
    bench.notifier.observe([broken, { what: 'present', condition: drill }, { what: 'absent', key: drill.key }])
    await turns()
    bench.notifier.observe([{ what: 'forgotten', database: 'app' }])
    assert.equal(refusing.attempts, 1)
    assert.deepEqual(
      bench.notifier.channels.map(({ name, waiting, deliveries }) => [name, waiting, deliveries.last?.result]),
      [
        ['refusing', 0, 'failed'],
        ['busy', 0, undefined],
      ],
    )
    bench.notifier.observe([{ what: 'present', condition: drill }])
    await bench.clock.pass(hour)
    assert.equal(bench.notifier.channels[1]?.deliveries.last?.result, 'retrying')
    bench.notifier.observe([{ what: 'forgotten', database: 'app' }])
    await bench.clock.pass(day)
    assert.deepEqual(
      bench.notifier.channels.map(({ waiting, deliveries }) => [waiting, deliveries.last?.result]),
      [
        [0, 'failed'],
        [0, 'failed'],
      ],
    )
    const { status, problems } = healthReport(bench.notifier.firing, bench.notifier)
    assert.equal(status, 'warning')
    assert.deepEqual(
      problems.map(({ key }) => key),
      ['channel/refusing', 'channel/busy'],
    )
  })

  test('makes nobody wait for a channel that hangs, and bounds what waits for it', async () => {
    using folder = temporaryFolder()
    const hanging = new FakeChannel()
    hanging.behaviour = 'hangs'
    const other = new FakeChannel()
    const bench = await open(folder.path, [
      { name: 'hanging', channel: hanging },
      { name: 'other', channel: other },
    ])
    for (let i = 0; i < 10; i += 1) {
      bench.notifier.observe(many(3000).slice(i * 300, (i + 1) * 300))
      await turns()
    }
    assert.ok(other.messages.length > 0)
    assert.equal(bench.notifier.channels[0]?.waiting, 500)
    await bench.notifier[Symbol.asyncDispose]()
  })
})

describe('over a restart', () => {
  test('what was told is not told again, and its end is', async () => {
    using folder = temporaryFolder()
    const channel = new FakeChannel()
    const clock = new ManualClock()
    for (let restart = 0; restart < 3; restart += 1) {
      await using bench = await open(folder.path, [{ name: 'a', channel }], clock)
      bench.notifier.observe([broken])
      await clock.pass(minute)
      assert.deepEqual(bench.warnings, [])
    }
    assert.deepEqual(channel.titles, [brokenTitle])
    clock.time += hour
    await using bench = await open(folder.path, [{ name: 'a', channel }], clock)
    bench.notifier.observe([mended])
    await turns()
    assert.match(channel.titles[1] ?? '', /^Over after 1 h 3 min: /)
  })

  test('that nobody saw coming, what was told is not told again', async () => {
    using folder = temporaryFolder()
    const killed = new FakeChannel()
    const bench = await open(folder.path, [{ name: 'a', channel: killed }])
    bench.notifier.observe([broken])
    await turns()
    assert.deepEqual(killed.titles, [brokenTitle])
    // Saved without being asked to: the next one begins while this one still holds all of it in memory.
    const file = folder.file('alerts.json')
    const isSaved = () => existsSync(file) && /"a": \[\]/.test(readFileSync(file, 'utf8'))
    while (!isSaved()) await sleep(5)
    const channel = new FakeChannel()
    await using next = await open(folder.path, [{ name: 'a', channel }], bench.clock)
    next.notifier.observe([broken])
    await turns()
    assert.deepEqual(channel.titles, [])
    await bench.notifier[Symbol.asyncDispose]()
  })

  test('what could not be sent is sent, with the same id', async () => {
    using folder = temporaryFolder()
    const clock = new ManualClock()
    const first = new FakeChannel()
    first.behaviour = 'hangs'
    {
      await using bench = await open(folder.path, [{ name: 'a', channel: first }], clock)
      bench.notifier.observe([broken])
      await turns()
    }
    assert.equal(first.attempts, 1)
    const second = new FakeChannel()
    {
      await using _bench = await open(folder.path, [{ name: 'a', channel: second }], clock)
      await turns()
    }
    assert.deepEqual(second.titles, [brokenTitle])
    const third = new FakeChannel()
    await using _bench = await open(folder.path, [{ name: 'a', channel: third }], clock)
    await turns()
    assert.deepEqual(third.titles, [])
    assert.match(second.ids[0] ?? '', /^msg_[0-9a-f]{32}$/)
  })

  test('a torn or foreign file begins anew, and that is said', async () => {
    const damage: ((path: string) => void)[] = [
      (path) => truncateSync(path, 100),
      (path) => truncateSync(path, 0),
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"times": 1', '"times": 2')),
      (path) => writeFileSync(path, Buffer.from([0, 255, 10, 0])),
    ]
    for (const harm of damage) {
      using folder = temporaryFolder()
      const channel = new FakeChannel()
      {
        await using bench = await open(folder.path, [{ name: 'a', channel }])
        bench.notifier.observe([broken])
        await turns()
      }
      harm(folder.file('alerts.json'))
      await using bench = await open(folder.path, [{ name: 'a', channel }])
      assert.match(
        bench.warnings[0] ?? '',
        /^What is known of alerts begins anew\. The object .*alerts\.json is damaged/,
      )
      bench.notifier.observe([broken])
      await turns()
      assert.equal(channel.titles.length, 2)
    }
  })

  test('a state folder that cannot be written is said once, and alerts are sent all the same', async () => {
    using folder = temporaryFolder()
    // A folder where the file should be cannot be replaced by it, not even by root.
    mkdirSync(folder.file('alerts.json.tmp'))
    const channel = new FakeChannel()
    const bench = await open(folder.path, [{ name: 'a', channel }])
    bench.notifier.observe([broken])
    await turns()
    bench.notifier.observe([mended])
    await turns()
    await bench.notifier[Symbol.asyncDispose]()
    assert.equal(channel.titles.length, 2)
    assert.equal(bench.warnings.length, 1)
    assert.match(bench.warnings[0] ?? '', /^What is known of alerts cannot be saved: /)
    assert.ok(bench.notifier.saveProblem !== undefined)
  })
})

test('other channels can take over while it runs', async () => {
  using folder = temporaryFolder()
  const slow = new FakeChannel()
  slow.behaviour = 'hangs'
  await using bench = await open(folder.path, [{ name: 'a', channel: slow }])
  bench.notifier.observe([broken])
  await turns()
  const quick = new FakeChannel()
  await bench.notifier.reconfigure([{ name: 'a', channel: quick }])
  await turns()
  assert.deepEqual(quick.titles, [brokenTitle])
})

test('a channel whose settings stay the same goes on as it was, also where another is added or it is told of other things', async () => {
  using folder = temporaryFolder()
  const bad = new FakeChannel()
  bad.behaviour = 'refuses'
  const settings = (url: string) => ({ type: 'webhook', url })
  const bads = { name: 'bad', channel: bad, settings: settings('https://bad') }
  await using bench = await open(folder.path, [bads])
  bench.notifier.observe([broken])
  await turns()
  const known = () => bench.notifier.channels.map(({ name, deliveries: { last } }) => [name, last?.problem])
  const problems = () => healthReport([], bench.notifier).problems.map(({ key }) => key)
  const other = { name: 'other', channel: new FakeChannel(), settings: settings('https://other') }
  const again = { ...bads, channel: new FakeChannel(), settings: settings('https://bad') }
  await bench.notifier.reconfigure([other, { ...again, filter: { topics: ['drill'] } }])
  assert.deepEqual(known(), [
    ['other', undefined],
    ['bad', 'No.'],
  ])
  assert.deepEqual(problems(), ['channel/bad'])
  bench.notifier.observe([{ ...broken, condition: aCondition({ key: 'failure/another' }) }])
  await turns()
  assert.equal(bad.attempts, 1, 'it is told of drills alone from now on')
  assert.equal(other.channel.messages.length, 1)
  await bench.notifier.reconfigure([{ ...again, settings: settings('https://good') }])
  assert.deepEqual([known(), problems()], [[['bad', undefined]], []], 'another address is another channel')
})

test('what happens while a channel gives way to another is told by that one', async () => {
  using folder = temporaryFolder()
  const slow = new FakeChannel()
  slow.behaviour = 'hangs'
  await using bench = await open(folder.path, [{ name: 'a', channel: slow }])
  bench.notifier.observe([broken])
  await turns()
  const quick = new FakeChannel()
  const reconfigured = bench.notifier.reconfigure([{ name: 'a', channel: quick }])
  bench.notifier.observe([mended])
  await reconfigured
  await turns()
  assert.equal(quick.titles.length, 2)
})

test('stopping can wait a while for what is being sent', async () => {
  using folder = temporaryFolder()
  const channel = new FakeChannel()
  channel.behaviour = 'busy'
  const bench = await open(folder.path, [{ name: 'a', channel }])
  bench.notifier.observe([broken])
  const flushed = bench.notifier.flush(5000)
  await bench.clock.pass(2000)
  channel.behaviour = 'takes'
  await bench.clock.pass(3000)
  await flushed
  assert.deepEqual(channel.titles, [brokenTitle])
  await bench.notifier[Symbol.asyncDispose]()
})
