import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { captureControlApi } from '../../src/capture/control/control-api.ts'
import { ControlClient } from '../../src/control/client.ts'
import { type ControlHandlers, ControlServer } from '../../src/control/server.ts'
import { newSocketPath } from '../../src/control/socket-path.ts'
import type { EngineApi } from '../../src/engine/api.ts'
import { HoldfastError } from '../../src/errors.ts'
import { stopProcess } from '../agent/support/stop-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Signatures = {
  double: { input: number | undefined; event: { at: number | undefined }; output: number | undefined }
  wait: { input: undefined; event: undefined; output: string }
  fail: { input: undefined; event: undefined; output: undefined }
}

const number = z.number().or(z.undefined())
const api: EngineApi<Signatures> = {
  double: { input: number, event: z.strictObject({ at: number }), output: number },
  wait: { input: z.undefined(), event: z.undefined(), output: z.string() },
  fail: { input: z.undefined(), event: z.undefined(), output: z.undefined() },
}

function handlers(ended: string[] = []): ControlHandlers<Signatures> {
  return {
    double: async (input, { emit }) => {
      emit({ at: undefined })
      return input === undefined ? undefined : input * 2
    },
    wait: async (_input, { signal }) => {
      await once(signal, 'abort')
      ended.push('aborted')
      throw new HoldfastError('ABORTED', 'It was given up.')
    },
    fail: async () => {
      throw new HoldfastError('LEASE_HELD', 'Another has it.', { object: 'app', hint: 'Wait.' })
    },
  }
}

describe('asking a running process', () => {
  it('brings values, events and errors across, and what is undefined too', async () => {
    using folder = temporaryFolder()
    await using server = await ControlServer.listen(await newSocketPath(folder.path), api, handlers())
    using client = await ControlClient.connect(server.path, api)
    const events: unknown[] = []
    const onEvent = (event: unknown) => events.push(event)
    assert.equal(await client.call('double', 21, { onEvent }), 42)
    assert.equal(await client.call('double', undefined), undefined)
    assert.deepEqual(events, [{ at: undefined }])
    await assert.rejects(client.call('fail', undefined), { code: 'LEASE_HELD', object: 'app', hint: 'Wait.' })
  })

  it('leaves no socket behind when its process ends without closing it', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'control.sock')
    const program = `import { ControlServer } from ${JSON.stringify(new URL('../../src/control/server.ts', import.meta.url))}
      await ControlServer.listen(${JSON.stringify(path)}, {}, {})
      process.stdout.write(String((await import('node:fs')).existsSync(${JSON.stringify(path)})))
      process.exit(0)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
    assert.equal(stdout, 'true')
    assert.equal(existsSync(path), false)
  })

  it('is for this user alone, and the socket goes with the process', async () => {
    using folder = temporaryFolder()
    const path = await newSocketPath(join(folder.path, 'run'))
    await using server = await ControlServer.listen(path, api, handlers())
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder.path, 'run')).mode & 0o777, 0o700)
    await server[Symbol.asyncDispose]()
    assert.equal(existsSync(path), false)
    await assert.rejects(ControlClient.connect(path, api), { code: 'NOT_RUNNING' })
  })

  it('waits for what takes long while there are signs of life, and no longer when there are none', async () => {
    using folder = temporaryFolder()
    await using lively = await ControlServer.listen(await newSocketPath(folder.path), api, handlers(), {
      aliveEveryMs: 5,
    })
    using patient = await ControlClient.connect(lively.path, api, { silenceMs: 300 })
    const calledOff = new AbortController()
    const waiting = patient.call('wait', undefined, { signal: calledOff.signal })
    waiting.catch(() => {})
    await using silent = await ControlServer.listen(await newSocketPath(folder.path), api, handlers())
    using impatient = await ControlClient.connect(silent.path, api, { silenceMs: 300 })
    assert.equal(await impatient.call('double', 1), 2)
    for (let round = 0; round < 2; round += 1) {
      using each = round === 0 ? impatient : await ControlClient.connect(silent.path, api, { silenceMs: 300 })
      await assert.rejects(each.call('wait', undefined), {
        code: 'NOT_RUNNING',
        message: `Process ${process.pid} has given no sign of life for 0.3 s while it was at work.`,
      })
    }
    assert.equal(await patient.call('double', 21), 42, 'that one still waits, twice as long')
    calledOff.abort()
    await assert.rejects(waiting, { code: 'ABORTED' })
  })

  it('gives up a process that is halted in the middle of it', async (context) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'control.sock')
    const from = (name: string) => JSON.stringify(new URL(`../../src/${name}.ts`, import.meta.url))
    const program = `import { ControlServer } from ${from('control/server')}
      import { captureControlApi } from ${from('capture/control/control-api')}
      const compact = async (_input, { emit }) => {
        emit({ phase: 'copy', done: 0, total: 1, unit: 'objects' })
        await new Promise(() => setTimeout(() => {}, 2 ** 30))
      }
      await ControlServer.listen(${JSON.stringify(path)}, captureControlApi, { compact }, { aliveEveryMs: 5 })
      process.stdout.write('ready')
      setTimeout(() => {}, 2 ** 30)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    context.after(() => child.kill('SIGKILL'))
    const { pid = assert.fail(), stdout } = child
    await once(stdout, 'data')
    using client = await ControlClient.connect(path, captureControlApi, { silenceMs: 2_000 })
    const begun = Promise.withResolvers<void>()
    const input = { which: { repositoryId: 'r', database: 'app' } }
    const call = client.call('compact', input, { onEvent: () => begun.resolve() })
    call.catch(() => {})
    await begun.promise
    await stopProcess(pid)
    await assert.rejects(call, { code: 'NOT_RUNNING', message: /no sign of life/, hint: /may have been stopped/ })
  })

  it('ends what was asked when the caller gives up, goes away, or the server closes', async () => {
    using folder = temporaryFolder()
    const ended: string[] = []
    await using server = await ControlServer.listen(await newSocketPath(folder.path), api, handlers(ended))
    using first = await ControlClient.connect(server.path, api)
    const controller = new AbortController()
    const givenUp = first.call('wait', undefined, { signal: controller.signal })
    controller.abort()
    await assert.rejects(givenUp, { code: 'ABORTED' })
    const second = await ControlClient.connect(server.path, api)
    const left = second.call('wait', undefined)
    second[Symbol.dispose]()
    await assert.rejects(left, { code: 'NOT_RUNNING' })
    const closed = first.call('wait', undefined)
    closed.catch(() => {})
    // It has arrived when what came after it on the same connection is answered.
    await first.call('double', 1)
    await server[Symbol.asyncDispose]()
    await assert.rejects(closed, (error: HoldfastError) => ['ABORTED', 'NOT_RUNNING'].includes(error.code))
    assert.deepEqual(ended, ['aborted', 'aborted', 'aborted'])
  })

  it('is not disturbed by garbage, nor by a message that never ends', async () => {
    using folder = temporaryFolder()
    await using server = await ControlServer.listen(await newSocketPath(folder.path), api, handlers())
    for (const garbage of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(64, 0xff),
      Buffer.from([2, 0, 0, 0, 1, 2]),
    ]) {
      const socket = createConnection(server.path)
      socket.on('error', () => {})
      socket.write(garbage)
      socket.resume()
      await once(socket, 'close')
    }
    using client = await ControlClient.connect(server.path, api)
    assert.equal(await client.call('double', 2), 4)
  })

  it('gives up where nobody answers, and at once when it is told to', async () => {
    using folder = temporaryFolder()
    const path = await newSocketPath(folder.path)
    const silent = createServer().listen(path)
    await once(silent, 'listening')
    silent.on('connection', (socket) => socket.on('error', () => {}))
    await assert.rejects(ControlClient.connect(path, api, { answerMs: 20, follows: 'app' }), {
      code: 'NOT_RUNNING',
      message: `Process ${process.pid}, which follows app, has not answered for 0.02 s.`,
      object: path,
    })
    await assert.rejects(ControlClient.connect(path, api, { answerMs: 20 }), {
      message: `Process ${process.pid} has not answered for 0.02 s.`,
    })
    const elsewhere = join(folder.path, 'silent.sock')
    const other = createServer((socket) => socket.on('error', () => {})).listen(elsewhere)
    await once(other, 'listening')
    await assert.rejects(ControlClient.connect(elsewhere, api, { answerMs: 20, follows: 'app' }), {
      message: `The process that listens on ${elsewhere} and follows app has not answered for 0.02 s.`,
    })
    other.close()
    await once(other, 'close')
    const controller = new AbortController()
    const connecting = ControlClient.connect(path, api, { signal: controller.signal })
    await once(silent, 'connection')
    controller.abort()
    await assert.rejects(connecting, { code: 'ABORTED' })
    silent.close()
    await once(silent, 'close')
  })

  it('clears away what killed processes left, and nothing else', async () => {
    using folder = temporaryFolder()
    const dead = join(folder.path, '4194303-00000000.sock')
    const alive = join(folder.path, `${process.pid}-00000000.sock`)
    const other = join(folder.path, 'notes.txt')
    for (const path of [dead, alive, other]) writeFileSync(path, '')
    await newSocketPath(folder.path)
    assert.deepEqual([dead, alive, other].map(existsSync), [false, true, true])
  })

  it('is refused with the reason where a path is too long for a socket', async () => {
    using folder = temporaryFolder()
    const path = await newSocketPath(join(folder.path, 'x'.repeat(100)))
    await assert.rejects(ControlServer.listen(path, api, handlers()), { code: 'USAGE', message: /too long/ })
  })
})
