import assert from 'node:assert/strict'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../src/errors.ts'
import { withExclusiveLock } from '../../src/storage/local/exclusive-lock.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { runFixture, startFixture } from './fixtures/run-fixture.ts'

const temporaryNames = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.tmp-'))

async function listKeys(storage: LocalStorage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys
}

describe('the local storage between processes', () => {
  it('loses no increment that two processes make with ifMatch', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('counter', Buffer.from('0'))
    await Promise.all([1, 2].map(() => runFixture('increment-counter.ts', folder.path, '40')))
    assert.equal(Buffer.from(await collectBytes(storage.get('counter'))).toString(), '80')
  })

  it('lets exactly one of two processes create each object with ifAbsent', async () => {
    using folder = temporaryFolder()
    const names = ['first', 'second']
    const outputs = await Promise.all(names.map((name) => runFixture('create-once.ts', folder.path, '60', name)))
    const won = outputs.map((output) => output.trim().split('\n').filter(Boolean))
    assert.deepEqual(
      won
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, index) => index),
    )
    const storage = new LocalStorage(folder.path)
    for (const [index, indexes] of won.entries()) {
      for (const one of indexes) {
        assert.equal(Buffer.from(await collectBytes(storage.get(`object-${one}`))).toString(), names[index])
      }
    }
  })

  it('shows nothing of a put in another process, and leaves its temporary file alone', async () => {
    using folder = temporaryFolder()
    await using _writer = await startFixture('put-forever.ts', folder.path, 'a/object')
    const storage = new LocalStorage(folder.path)
    assert.equal(temporaryNames(folder.file('a')).length, 1)
    assert.deepEqual(await listKeys(storage), [])
    await storage.put('a/other', Buffer.from('1'))
    assert.deepEqual(await listKeys(storage), ['a/other'])
    assert.equal(temporaryNames(folder.file('a')).length, 1)
  })

  for (const [what, work] of Object.entries({
    'put of another key': (storage: LocalStorage) => storage.put('b/other', Buffer.from('1')),
    listing: (storage: LocalStorage) => listKeys(storage, 'a/'),
  })) {
    it(`removes what a killed process left, with the next ${what}`, async () => {
      using folder = temporaryFolder()
      await using writer = await startFixture('put-forever.ts', folder.path, 'a/object')
      await writer.kill()
      assert.equal(temporaryNames(folder.file('a')).length, 1)
      await work(new LocalStorage(folder.path))
      assert.deepEqual(readdirSync(folder.file('a')), [])
    })
  }

  it('removes the temporary file of an unknown host only after a day without a write', async () => {
    using folder = temporaryFolder()
    const owner = (host: string) => Buffer.from(`${host}\nsome-boot/pid:[1]\n4711\n1`).toString('base64url')
    const fresh = `.tmp-${owner('host-1')}@0123456789abcdef`
    const old = `.tmp-${owner('host-2')}@0123456789abcdef`
    for (const name of [fresh, old]) writeFileSync(folder.file(name), 'part')
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60
    utimesSync(folder.file(old), twoDaysAgo, twoDaysAgo)
    await new LocalStorage(folder.path).put('object', Buffer.from('1'))
    assert.deepEqual(readdirSync(folder.path).sort(), [fresh, 'object'])
  })

  it('waits for the lock of another process no longer than it is told, and gets it when that is killed', async () => {
    using folder = temporaryFolder()
    const path = folder.file('lock')
    await using holder = await startFixture('hold-lock.ts', path)
    await assert.rejects(
      withExclusiveLock(path, async () => assert.fail('two hold the lock'), { waitMs: 50 }),
      (thrown) => hasCode(thrown, 'STORAGE_TRANSIENT'),
    )
    const waiting = new AbortController()
    const waited = withExclusiveLock(path, async () => assert.fail('two hold the lock'), { signal: waiting.signal })
    waiting.abort()
    await assert.rejects(waited, (thrown) => hasCode(thrown, 'ABORTED'))
    const next = withExclusiveLock(path, async () => 'mine')
    await holder.kill()
    assert.equal(await next, 'mine')
  })

  it('lets everybody of this process have the lock in turn, however many they are, as long as each gets on', async () => {
    using folder = temporaryFolder()
    const path = folder.file('lock')
    const order: number[] = []
    let inside = 0
    const numbers = Array.from({ length: 60 }, (_, number) => number)
    const work = async (number: number): Promise<void> => {
      inside += 1
      assert.equal(inside, 1)
      await sleep(100)
      order.push(number)
      inside -= 1
      if (number === 7) throw new Error('This one fails.')
    }
    // All of them together take longer.
    const ended = await Promise.allSettled(
      numbers.map((number) => withExclusiveLock(path, () => work(number), { waitMs: 4_000 })),
    )
    assert.deepEqual(order, numbers)
    assert.deepEqual(
      ended.flatMap(({ status }, number) => (status === 'rejected' ? number : [])),
      [7],
    )
  })

  it('gives up in this process too, when the one before it does not get on, or its signal fires', async () => {
    using folder = temporaryFolder()
    const path = folder.file('lock')
    const first = Promise.withResolvers<void>()
    const holding = withExclusiveLock(path, () => first.promise)
    const never = async () => assert.fail('two hold the lock')
    const waiting = new AbortController()
    const waited = withExclusiveLock(path, never, { signal: waiting.signal })
    await assert.rejects(withExclusiveLock(path, never, { waitMs: 50 }), { code: 'STORAGE_TRANSIENT' })
    waiting.abort()
    await assert.rejects(waited, { code: 'ABORTED' })
    const next = withExclusiveLock(path, async () => 'mine')
    first.resolve()
    await holding
    assert.equal(await next, 'mine')
  })

  it('lets another process have the lock, though this one always wants it', async () => {
    using folder = temporaryFolder()
    const path = folder.file('lock')
    let isOver = false
    const want = async (): Promise<void> => {
      while (!isOver) await withExclusiveLock(path, () => sleep(1), { waitMs: 60_000 })
    }
    const wanting = [want(), want(), want()]
    const holder = await startFixture('hold-lock.ts', path)
    isOver = true
    await holder.kill()
    await Promise.all(wanting)
  })

  it('reads what a process that was killed midway had not replaced', async () => {
    using folder = temporaryFolder()
    const storage = new LocalStorage(folder.path)
    await storage.put('a/object', Buffer.from('former'))
    await using writer = await startFixture('put-forever.ts', folder.path, 'a/object')
    await writer.kill()
    assert.equal(Buffer.from(await collectBytes(storage.get('a/object'))).toString(), 'former')
  })
})
