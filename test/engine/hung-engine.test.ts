import assert from 'node:assert/strict'
import { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, it, mock, type TestContext } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { EngineWatch } from '../../src/engine/engine-watch.ts'
import { defaultSilenceMs, type EngineOptions, startEngine } from '../../src/engine/host.ts'
import { Peer } from '../../src/engine/peer.ts'
import { looksInLimit } from '../../src/engine/silence.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { stopProcess } from '../agent/support/stop-process.ts'
import { sampleApi } from './programs/sample-api.ts'
import { isRunning } from './support.ts'

const entry = new URL('./programs/sample-engine.ts', import.meta.url)
const lookMs = defaultSilenceMs / looksInLimit

const start = (options: EngineOptions = {}) => startEngine(entry, sampleApi, options)

/** Waits without the timers that a test has taken over; the test runner's own timeout says when it does not come. */
async function comes(condition: () => boolean): Promise<void> {
  while (!condition()) await soon()
}

describe('an engine that hangs', { skip: existsSync('/proc/self/stat') ? false : 'no /proc' }, () => {
  it('is killed after ten minutes without a sign of life, and the call says so', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using engine = start()
    let pid = 0
    const call = engine.call('ignoreAbort', null, { onEvent: (text) => (pid = Number(text)) })
    await comes(() => pid !== 0)
    await stopProcess(pid)
    const ended = assert.rejects(call, (error) => {
      assert.ok(hasCode(error, 'ENGINE_DIED'))
      assert.match(error.message, /no sign of life for 10 min/)
      assert.equal(error.object, `process ${pid}`)
      return true
    })
    t.mock.timers.tick(defaultSilenceMs)
    assert.ok(isRunning(pid))
    t.mock.timers.tick(lookMs)
    await ended
    assert.ok(!isRunning(pid))
    await assert.rejects(engine.call('echo', 1), (error) => hasCode(error, 'ENGINE_DIED'))
  })

  it('is left alone where somebody else sees to that, and where no call runs', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    for (const silenceMs of [Number.POSITIVE_INFINITY, undefined]) {
      await using engine = start({ graceMs: 0, silenceMs })
      const { pid } = await engine.call('environment', null)
      await stopProcess(pid)
      const asked = silenceMs === undefined ? undefined : engine.call('echo', 1)
      t.mock.timers.tick(10 * defaultSilenceMs)
      process.kill(pid, 'SIGCONT')
      await asked
      assert.equal(await engine.call('echo', 'still here'), 'still here')
    }
  })

  it('is not taken for one that works without a word for hours', async (t: TestContext) => {
    const heard = t.mock.method(EngineWatch.prototype, 'heard')
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using engine = start()
    let hasBegun = false
    const call = engine.call('ignoreAbort', null, { onEvent: () => (hasBegun = true) })
    await comes(() => hasBegun)
    for (let look = 0; look < 8 * looksInLimit; look += 1) {
      const words = heard.mock.callCount()
      t.mock.timers.tick(lookMs)
      await comes(() => heard.mock.callCount() > words)
    }
    t.mock.timers.reset()
    assert.equal(await engine.call('echo', 'still here'), 'still here')
    engine.kill(new HoldfastError('ENGINE_DIED', 'The test is over.'))
    await assert.rejects(call)
  })

  it('and that the system cannot end is not waited for', async (t: TestContext) => {
    const kill = t.mock.method(ChildProcess.prototype, 'kill', () => true)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const engine = start({ graceMs: 100 })
    const controller = new AbortController()
    let pid = 0
    const call = engine.call('ignoreAbort', null, {
      signal: controller.signal,
      onEvent: (text) => (pid = Number(text)),
    })
    await comes(() => pid !== 0)
    try {
      controller.abort()
      const ended = assert.rejects(call, (error) => hasCode(error, 'ABORTED'))
      t.mock.timers.tick(100)
      assert.equal(kill.mock.callCount(), 1)
      t.mock.timers.tick(10_000)
      await ended
      await engine.close()
      await assert.rejects(
        engine.call('echo', 1),
        (error) => hasCode(error, 'ENGINE_DIED') && /cannot end/.test(error.message),
      )
    } finally {
      process.kill(pid, 'SIGKILL')
    }
  })
})

describe('the watch over an engine', () => {
  it('asks for one sign of life at a time, and tells once that none comes', () => {
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      let asked = 0
      const told: number[] = []
      const watch = new EngineWatch(1000, {
        ping: () => (asked += 1),
        cpuTime: () => 1,
        onHang: (silentMs) => told.push(silentMs),
      })
      watch.start()
      mock.timers.tick(500)
      assert.equal(asked, 1)
      watch.heard()
      mock.timers.tick(5000)
      assert.equal(asked, 2)
      assert.deepEqual(told, [1000])
      watch.start()
      mock.timers.tick(5000)
      assert.deepEqual(told, [1000, 1050])
      watch.stop()
    } finally {
      mock.timers.reset()
    }
  })

  it('counts a sleep of the machine, and a host that was busy itself, as one look', async () => {
    let hangs = 0
    const watch = new EngineWatch(20, { ping: () => {}, cpuTime: () => 1, onHang: () => (hangs += 1) })
    watch.start()
    // A hundred looks would have been due.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    await soon()
    watch.heard()
    watch.stop()
    assert.equal(hangs, 0)
  })
})

describe('a side of a channel', () => {
  it('answers a ping, and tells of every word of the other', () => {
    const ends = [new Set<(message: unknown) => void>(), new Set<(message: unknown) => void>()] as const
    const port = (own: 0 | 1) => ({
      send: (message: unknown) => {
        for (const listener of ends[own === 0 ? 1 : 0]) listener(message)
      },
      onMessage: (listener: (message: unknown) => void) => void ends[own].add(listener),
      onClose: () => {},
    })
    let words = 0
    const host = new Peer(port(0), {}, { onWord: () => (words += 1) })
    const engine = new Peer(port(1), {})
    host.ping()
    assert.equal(words, 1)
    engine.hello('1.0.0')
    assert.equal(words, 2)
  })
})
