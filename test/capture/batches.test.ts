import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../support/random.ts'
import { Rig } from './support/rig.ts'

describe('the batches of a capture', () => {
  it('hold the commits of one interval, and every commit inside can be restored', async () => {
    const rig = await Rig.make()
    const random = seededRandom(51)
    await using capture = await rig.follow({ syncIntervalMs: 500 })
    for (let n = 0; n < 30; n += 1) {
      rig.database.commitRandom(random)
      await rig.clock.sleep(50)
    }
    await capture.sync()
    const { segments } = await (await rig.repository()).catalog()
    const logs = segments.filter(({ kind }) => kind === 'log')
    assert.ok(logs.length >= 2 && logs.length <= 15, `${logs.length} logs`)
    assert.equal((await rig.check()).size, 31)
  })

  it('are closed by size too', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow({ syncIntervalMs: 60_000, maxBatchBytes: 2_000 })
    for (let n = 0; n < 10; n += 1) rig.database.commit(new Map([[2, new Uint8Array(512).fill(n)]]))
    await capture.sync()
    const { segments } = await (await rig.repository()).catalog()
    assert.ok(segments.filter(({ kind }) => kind === 'log').length >= 4)
    assert.equal((await rig.check()).size, 11)
  })

  it('hand on what they have gathered while more is gathered', async () => {
    const rig = await Rig.make()
    const random = seededRandom(54)
    await using capture = await rig.follow({ syncIntervalMs: 60_000, codec: 'none' })
    rig.database.commit(new Map(Array.from({ length: 41 }, (_, at) => [at + 2, random.bytes(512)])), 42)
    // Whole pages of random bytes: several times as much as is gathered before it is handed on.
    for (let n = 0; n < 400; n += 1) {
      const pages = Array.from({ length: 5 }, () => [2 + random.below(40), random.bytes(512)] as const)
      rig.database.commit(new Map(pages), 42)
    }
    await capture.sync()
    const { segments } = await (await rig.repository()).catalog()
    assert.ok(segments.some(({ kind, bytes }) => kind === 'log' && bytes > 600_000))
    assert.equal((await rig.check()).size, 402)
  })

  it('hold only what changed of a page', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow({ codec: 'none' })
    for (let n = 0; n < 50; n += 1) {
      const page = Uint8Array.from(rig.database.pages[3] ?? [])
      page[n] = 0xff
      rig.database.commit(new Map([[4, page]]))
    }
    await capture.sync()
    const { segments } = await (await rig.repository()).catalog()
    const log = segments.findLast(({ kind }) => kind === 'log')
    assert.ok(log)
    const { totals } = await (await rig.repository()).openSegment(log)
    assert.ok(totals.rawBytes < 50 * 20, `${totals.rawBytes} bytes for fifty small changes`)
  })

  it('stream a commit that is larger than what may be held, into a segment of its own', async () => {
    const rig = await Rig.make()
    const random = seededRandom(52)
    await using capture = await rig.follow()
    rig.database.commitRandom(random)
    const many = new Map(Array.from({ length: 20_000 }, (_, at) => [at + 7, random.bytes(512)]))
    rig.database.commit(many, 20_006)
    rig.database.commit(new Map(), 5)
    await capture.sync()
    const { segments } = await (await rig.repository()).catalog()
    assert.deepEqual(
      segments.map(({ kind, from, to }) => [kind, from, to]),
      [
        ['base', 0, 1],
        ['log', 1, 2],
        ['log', 2, 4],
      ],
    )
    assert.equal((await rig.check()).size, 4)
  })

  it('cost nothing while the database is idle', async () => {
    const rig = await Rig.make()
    await using capture = await rig.follow()
    rig.database.commitRandom(seededRandom(53))
    await capture.sync()
    await rig.clock.sleep(100_000)
    const before = rig.clock.time
    const events = rig.events.length
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(rig.clock.time, before, 'nobody looked at the clock for a wait')
    assert.equal(rig.events.length, events)
  })

  it('let a hand-off that keeps failing be known, with its reason', async () => {
    const rig = await Rig.make()
    const random = seededRandom(54)
    await using capture = await rig.follow({ handOff: { logBytes: 1_000 } })
    rig.database.isHeld = true
    for (let n = 0; n < 40 && rig.of('warning').length === 0; n += 1) {
      rig.database.commitRandom(random)
      await capture.sync()
      rig.clock.time += 60_000
    }
    assert.match(rig.of('warning')[0]?.message ?? '', /another process holds a reader/)
  })
})

describe('a database without a write-ahead log', () => {
  it('is followed by deltas, each a restore point, and the gaps between them are recorded', async () => {
    const rig = await Rig.make()
    const random = seededRandom(55)
    rig.database.hasLog = false
    const capture = await rig.follow({ deltaIntervalMs: 1_000 })
    assert.equal(rig.of('started')[0]?.mode, 'deltas')
    for (let n = 0; n < 3; n += 1) {
      for (let count = 0; count < 3; count += 1) rig.database.commitRandom(random)
      await capture.sync()
      await capture.sync()
    }
    await capture.stop()
    assert.deepEqual(
      [...(await rig.check())],
      [
        [1, 1],
        [2, 4],
        [3, 7],
        [4, 10],
      ],
    )
    rig.database.hasLog = true
    const again = await rig.follow()
    rig.database.commitRandom(random)
    await again.sync()
    await again.stop()
    assert.equal((await rig.check()).get(5), 11)
  })

  it('is one from the moment when the application switches to that', async () => {
    const rig = await Rig.make()
    const random = seededRandom(56)
    await using capture = await rig.follow({ deltaIntervalMs: 1_000 })
    rig.database.commitRandom(random)
    await capture.sync()
    rig.database.hasLog = false
    rig.database.loseNext = 'log-reset'
    rig.database.commitRandom(random)
    await capture.sync()
    assert.deepEqual(
      rig.of('started').map(({ mode }) => mode),
      ['commits', 'deltas'],
    )
    assert.equal((await rig.check()).get(capture.status.lsn), rig.database.seq)
  })
})
