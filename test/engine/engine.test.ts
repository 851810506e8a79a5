import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { engineEntry } from '../../src/engine/entry.ts'
import { type Engine, startEngine } from '../../src/engine/host.ts'
import { BackupError, hasCode } from '../../src/errors.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type SampleSignatures, sampleApi } from './programs/sample-api.ts'
import { isRunning, until } from './support.ts'

const entry = new URL('./programs/sample-engine.ts', import.meta.url)

function start(options: Parameters<typeof startEngine>[2] = {}): Engine<SampleSignatures> {
  return startEngine(entry, sampleApi, options)
}

describe('an engine', () => {
  it('is another process, and is gone after close', async () => {
    const engine = start()
    const { pid } = await engine.call('environment', null)
    assert.notEqual(pid, process.pid)
    assert.equal(pid, engine.pid)
    assert.ok(isRunning(pid))
    await engine.close()
    assert.ok(!isRunning(pid))
  })

  it('takes and gives big integers, typed arrays, maps and undefined', async () => {
    await using engine = start()
    const value = {
      big: 2n ** 64n - 1n,
      bytes: new Uint8Array([1, 2, 3]),
      map: new Map([['a', undefined]]),
      u: undefined,
    }
    assert.deepEqual(await engine.call('echo', value), value)
  })

  it('answers many calls at once, each its own', async () => {
    await using engine = start()
    const inputs = Array.from({ length: 50 }, (_, n) => n)
    assert.deepEqual(await Promise.all(inputs.map((n) => engine.call('echo', n))), inputs)
  })

  it('reports while it works, in order', async () => {
    await using engine = start()
    const events: number[] = []
    assert.equal(await engine.call('count', 1000, { onEvent: (n) => events.push(n) }), 1000)
    assert.deepEqual(
      events,
      Array.from({ length: 1000 }, (_, n) => n + 1),
    )
  })

  it('throws the errors of its functions, with class and details', async () => {
    await using engine = start()
    await assert.rejects(engine.call('fail', 'backup'), (error) => {
      assert.ok(error instanceof BackupError)
      assert.equal(error.partialBackup.bytesRead, 8192)
      return hasCode(error, 'DISK_FULL')
    })
    await assert.rejects(engine.call('fail', 'system'), (error) => hasCode(error, 'ACCESS_DENIED'))
  })

  it('runs in the given folder', async () => {
    using folder = temporaryFolder()
    await using engine = start({ cwd: folder.path })
    const { cwd } = await engine.call('environment', null)
    assert.equal(cwd, realpathSync(folder.path))
  })

  it('does not inherit the options of a test runner, a debugger or a loader', async () => {
    process.env['NODE_OPTIONS'] = '--require=/no/such/module.cjs'
    process.execArgv.push('--import=/no/such/loader.mjs')
    try {
      await using engine = start()
      const { execArgv, nodeOptions } = await engine.call('environment', null)
      assert.equal(nodeOptions, '')
      assert.doesNotMatch(execArgv.join(' '), /--(import|require|inspect|test)/)
    } finally {
      process.execArgv.pop()
      delete process.env['NODE_OPTIONS']
    }
  })

  it('does not keep an idle host from ending', async () => {
    const host = fork(new URL('./programs/idle-host.ts', import.meta.url), { silent: true, execArgv: [] })
    const [engine] = await once(host, 'message')
    const [code] = await once(host, 'exit')
    assert.equal(code, 0)
    await until(() => !isRunning(engine))
  })
})

describe('aborting a call', () => {
  it('does not begin when the signal has fired before', async () => {
    await using engine = start()
    const reason = new Error('no need')
    await assert.rejects(engine.call('echo', 1, { signal: AbortSignal.abort(reason) }), (error) => {
      assert.ok(hasCode(error, 'ABORTED'))
      return error.cause === reason
    })
  })

  it('rejects when the engine has cleaned up, and leaves the engine usable', async () => {
    using folder = temporaryFolder()
    const trace = folder.file('trace')
    await using engine = start()
    const controller = new AbortController()
    const call = engine.call(
      'wait',
      { cleanUpMs: 50, trace },
      { signal: controller.signal, onEvent: () => controller.abort() },
    )
    await assert.rejects(call, (error) => hasCode(error, 'ABORTED'))
    assert.ok(existsSync(trace))
    assert.equal(await engine.call('echo', 'still here'), 'still here')
  })

  for (const stubborn of ['ignoreAbort', 'block'] as const) {
    it(`kills an engine that does not react (${stubborn})`, async () => {
      await using engine = start({ graceMs: 100 })
      const controller = new AbortController()
      const call = engine.call(stubborn, null, { signal: controller.signal, onEvent: () => controller.abort() })
      await assert.rejects(call, (error) => hasCode(error, 'ABORTED'))
    })
  }

  it('with an event listener that throws ends the call with what it threw', async () => {
    using folder = temporaryFolder()
    await using engine = start()
    const broken = new TypeError('the listener is broken')
    const call = engine.call(
      'wait',
      { cleanUpMs: 0, trace: folder.file('trace') },
      {
        onEvent: () => {
          throw broken
        },
      },
    )
    await assert.rejects(call, (error) => hasCode(error, 'INTERNAL') && error.cause === broken)
    assert.ok(existsSync(folder.file('trace')))
  })
})

describe('an engine that dies', () => {
  it('by kill -9 fails its calls with the signal and what to do', async () => {
    await using engine = start()
    const call = engine.call('ignoreAbort', null, { onEvent: (pid) => process.kill(Number(pid), 'SIGKILL') })
    await assert.rejects(call, (error) => {
      assert.ok(hasCode(error, 'ENGINE_DIED'))
      assert.match(error.message, /SIGKILL/)
      assert.match(error.hint ?? '', /memory/)
      return true
    })
    await assert.rejects(engine.call('echo', 1), (error) => hasCode(error, 'ENGINE_DIED'))
  })

  it('by itself tells its exit code and its last words', async () => {
    await using engine = start()
    await assert.rejects(engine.call('die', { words: 'heap out of order', code: 9 }), (error) => {
      assert.ok(hasCode(error, 'ENGINE_DIED'))
      assert.match(error.message, /code 9/)
      assert.ok(error.cause instanceof Error)
      assert.match(error.cause.message, /heap out of order/)
      return true
    })
  })

  it('at its start, because its program is broken, is no hang', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('broken.mjs'), 'throw new Error("cannot begin")')
    await using engine = startEngine(new URL(`file://${folder.file('broken.mjs')}`), sampleApi)
    await assert.rejects(engine.call('echo', 1), (error) => {
      assert.ok(hasCode(error, 'ENGINE_DIED') && error.cause instanceof Error)
      return /cannot begin/.test(error.cause.message)
    })
  })

  it('cannot be started at all: says so', async () => {
    await using engine = start({ execPath: '/no/such/node' })
    await assert.rejects(
      engine.call('echo', 1),
      (error) => hasCode(error, 'ENGINE_DIED') && error.cause instanceof Error,
    )
  })

  it('of another version is refused', async () => {
    using folder = temporaryFolder()
    writeFileSync(
      folder.file('old.mjs'),
      'process.on("message", () => {}); process.send({ type: "hello", version: "0.0.1" })',
    )
    await using engine = startEngine(new URL(`file://${folder.file('old.mjs')}`), sampleApi)
    await assert.rejects(
      engine.call('echo', 1),
      (error) => hasCode(error, 'ENGINE_DIED') && /0\.0\.1/.test(error.message),
    )
  })

  it('or answers nonsense, is not believed', async () => {
    await using engine = start()
    await assert.rejects(engine.call('wrongOutput', null), (error) => hasCode(error, 'INTERNAL'))
    await assert.rejects(engine.call('sayNonsense', null), (error) => hasCode(error, 'INTERNAL'))
    await assert.rejects(engine.call('echo', 1), (error) => hasCode(error, 'INTERNAL', 'ENGINE_DIED'))
  })

  it('after SIGTERM has cleaned up first', async () => {
    using folder = temporaryFolder()
    const trace = folder.file('trace')
    await using engine = start()
    const call = engine.call(
      'wait',
      { cleanUpMs: 50, trace },
      { onEvent: (pid) => process.kill(Number(pid), 'SIGTERM') },
    )
    await assert.rejects(call, (error) => hasCode(error, 'ABORTED'))
    assert.ok(existsSync(trace))
  })

  it('not by Ctrl-C, which is the host’s to answer', async () => {
    await using engine = start()
    const { pid } = await engine.call('environment', null)
    process.kill(pid, 'SIGINT')
    process.kill(pid, 'SIGHUP')
    await sleep(50)
    assert.equal(await engine.call('echo', 'still here'), 'still here')
  })
})

describe('a host that ends during a call', () => {
  const endings: Record<string, (host: ChildProcess) => void> = {
    'by process.exit': (host) => host.send('exit'),
    'by kill -9': (host) => host.kill('SIGKILL'),
  }
  for (const [how, end] of Object.entries(endings)) {
    it(`${how} takes its engine with it, which cleans up first`, async () => {
      using folder = temporaryFolder()
      const trace = folder.file('trace')
      const host = fork(new URL('./programs/busy-host.ts', import.meta.url), [trace], { silent: true, execArgv: [] })
      const [engine] = await once(host, 'message')
      assert.ok(isRunning(engine))
      end(host)
      await once(host, 'exit')
      await until(() => !isRunning(engine))
      assert.ok(existsSync(trace))
    })
  }
})

describe('the program of an engine', () => {
  it('is TypeScript beside sources and JavaScript beside compiled files', async () => {
    using folder = temporaryFolder()
    for (const name of ['engine.ts', 'engine.js']) writeFileSync(folder.file(name), '')
    assert.match(engineEntry(`file://${folder.file('manager.ts')}`, 'engine').href, /engine\.ts$/)
    assert.match(engineEntry(`file://${folder.file('manager.js')}`, 'engine').href, /engine\.js$/)
  })

  it('that a bundler has lost is reported with the remedy', () => {
    for (const from of ['', 'file:///srv/app/bundle.js', 'https://example.com/bundle.js']) {
      assert.throws(
        () => engineEntry(from, 'engine'),
        (error) => hasCode(error, 'ENGINE_DIED') && /bundler/.test(error.hint ?? ''),
      )
    }
  })
})
