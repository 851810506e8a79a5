/** A storage that lives in another process keeps the storage contract; and its streams are taken only as fast as they are read. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { testBackupStorage } from '../../src/conformance/storage-conformance.ts'
import { Peer } from '../../src/engine/peer.ts'
import { childPort, type Port } from '../../src/engine/port.ts'
import { streamWindow } from '../../src/engine/protocol.ts'
import { remoteStorage } from '../../src/engine/remote-storage.ts'
import { serveStorage } from '../../src/engine/serve-storage.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { BackupStorage, OperationOptions } from '../../src/storage/storage.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
for (const [name, args] of Object.entries({ 'a memory storage': [], 'a local storage': [folder.path] })) {
  const child = fork(new URL('./programs/storage-server.ts', import.meta.url), args, {
    serialization: 'advanced',
    execArgv: [],
  })
  const peer = new Peer(childPort(child), {})
  testBackupStorage({
    name: `${name} in another process`,
    open: () => remoteStorage(peer),
    cleanUp: () => stop(child),
  })
}
after(() => folder[Symbol.dispose]())

describe('a storage seen through a channel', () => {
  it('has the url and capabilities of the real one', async () => {
    const real = new MemoryStorage({ name: 'seen' })
    const { storage, close } = await through(real)
    assert.equal(storage.url, real.url)
    assert.deepEqual(storage.capabilities, real.capabilities)
    close()
  })

  it('takes options that hold more than the contract names, such as functions', async () => {
    const { storage, close } = await through(new MemoryStorage())
    const options: OperationOptions = { signal: undefined, ...{ onProgress: () => {}, body: 'not a stream' } }
    await storage.put('key', Uint8Array.of(1), options)
    assert.equal((await storage.head('key', options))?.size, 1)
    for await (const bytes of storage.get('key', options)) assert.deepEqual([...bytes], [1])
    for await (const { key } of storage.list('', options)) assert.equal(key, 'key')
    await storage.delete('key', options)
    close()
  })

  it('is read ahead of its reader by a few chunks only', async () => {
    let given = 0
    const endless = {
      ...emptyStorage(),
      async *get() {
        for (;;) {
          given++
          yield new Uint8Array(1000)
        }
      },
    }
    const { storage, close } = await through(endless)
    let taken = 0
    for await (const _ of storage.get('key')) {
      taken++
      await sleep(2)
      assert.ok(given <= taken + streamWindow + 1, `${given} chunks were given when ${taken} had been taken`)
      if (taken === 30) break
    }
    close()
  })

  it('stops the real get when its reader stops early', async () => {
    let stopped = false
    const endless = {
      ...emptyStorage(),
      async *get() {
        try {
          for (;;) yield new Uint8Array(1000)
        } finally {
          stopped = true
        }
      },
    }
    const { storage, close } = await through(endless)
    for await (const _ of storage.get('key')) break
    assert.ok(stopped)
    close()
  })

  it('takes from a put’s stream no more than the real storage reads', async () => {
    let asked = 0
    async function* body() {
      for (;;) {
        asked++
        yield new Uint8Array(1000)
      }
    }
    const lazy = {
      ...emptyStorage(),
      async put(_key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<never> {
        if (body instanceof Uint8Array) throw new Error('It was to come as a stream.')
        for await (const _ of body) break
        await sleep(20)
        throw new HoldfastError('DISK_FULL', 'There is no more room.')
      },
    }
    const { storage, close } = await through(lazy)
    await assert.rejects(storage.put('key', body()), (error) => hasCode(error, 'DISK_FULL'))
    assert.ok(asked <= streamWindow + 2, `${asked} chunks were asked for`)
    close()
  })

  it('fails what is under way when the other process goes', async () => {
    const { promise: called, resolve } = Promise.withResolvers<void>()
    const hanging = {
      ...emptyStorage(),
      head: () => {
        resolve()
        return new Promise<never>(() => {})
      },
    }
    const { storage, peer, close } = await through(hanging)
    const head = storage.head('key')
    await called
    peer.close(new HoldfastError('ENGINE_DIED', 'gone'))
    await assert.rejects(head, (error) => hasCode(error, 'ENGINE_DIED'))
    await assert.rejects(storage.head('key'), (error) => hasCode(error, 'ENGINE_DIED'))
    close()
  })
})

async function through(real: BackupStorage) {
  const { port1, port2 } = new MessageChannel()
  new Peer(threadPort(port1), serveStorage(real))
  const peer = new Peer(threadPort(port2), {})
  return { storage: await remoteStorage(peer), peer, close: () => port1.close() }
}

function threadPort(port: MessagePort): Port {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  }
}

function emptyStorage(): BackupStorage {
  const { url, capabilities } = new MemoryStorage()

  return {
    url,
    capabilities,
    put: unused,
    get: unusedStream,
    head: unused,
    list: unusedStream,
    delete: unused,
    close: unused,
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.disconnect()
  await once(child, 'exit')
}

async function unused(): Promise<never> {
  throw new Error('The test does not use this.')
}

async function* unusedStream(): AsyncGenerator<never, void, undefined> {
  yield await unused()
}
