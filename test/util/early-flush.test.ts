import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { EarlyFlush } from '../../src/util/early-flush.ts'

const mebibyte = 1024 * 1024

test('a small file is left to its writer’s own flush', async () => {
  let flushes = 0
  const early = new EarlyFlush(async () => {
    flushes += 1
  })
  early.wrote(31 * mebibyte)
  await early.end()
  assert.equal(flushes, 0)
})

test('a large file is flushed one flush at a time, the last when nothing is written any more, and the end waits for it', async () => {
  const flushes: PromiseWithResolvers<void>[] = []
  const early = new EarlyFlush(() => {
    const flush = Promise.withResolvers<void>()
    flushes.push(flush)
    return flush.promise
  })
  for (let written = 0; written < 100; written += 1) early.wrote(mebibyte)
  assert.equal(flushes.length, 1)
  flushes[0]?.resolve()
  await setImmediate()
  assert.equal(flushes.length, 2)
  early.wrote(100 * mebibyte)
  let hasEnded = false
  const ending = early.end().then(() => {
    hasEnded = true
  })
  await setImmediate()
  assert.equal(hasEnded, false)
  flushes[1]?.resolve()
  await ending
  assert.equal(flushes.length, 2)
})

test('no flush begins once nobody wants the file any more', async () => {
  let flushes = 0
  {
    using early = new EarlyFlush(async () => {
      flushes += 1
    })
    early.wrote(32 * mebibyte)
    early.wrote(32 * mebibyte)
  }
  await setImmediate()
  assert.equal(flushes, 1)
})

test('what a flush fails with is told by the next write, and again at the end', async () => {
  const early = new EarlyFlush(() => Promise.reject(new Error('the disk is broken')))
  early.wrote(32 * mebibyte)
  await setImmediate()
  assert.throws(() => early.wrote(1), /the disk is broken/)
  await assert.rejects(early.end(), /the disk is broken/)
})
