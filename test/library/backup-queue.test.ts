import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BackupQueue } from '../../src/backup/backup-queue.ts'
import { hasCode } from '../../src/errors.ts'

describe('the queue of backups', () => {
  it('keeps the limit, one a key, the order within a key, and ends, whatever is aborted or fails', async () => {
    const jobs = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        turns: fc.nat(5),
        fails: fc.boolean(),
        abortAfter: fc.option(fc.nat(8)),
      }),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), jobs, async (limit, list) => {
        const queue = new BackupQueue(limit)
        const running = new Set<string>()
        const begun: Record<string, number[]> = {}
        const outcomes = await Promise.allSettled(
          list.map(({ key, turns, fails, abortAfter }, index) => {
            const controller = new AbortController()
            if (abortAfter !== null) void wait(abortAfter).then(() => controller.abort())
            const work = async () => {
              assert.ok(!running.has(key), 'one at a time for a key')
              running.add(key)
              assert.ok(running.size <= limit, 'no more than the limit')
              begun[key] = [...(begun[key] ?? []), index]
              await wait(turns)
              running.delete(key)
              if (fails) throw new Error('failed')
              return index
            }
            return queue.run(key, work, controller.signal)
          }),
        )
        await queue.idle()
        assert.equal(running.size, 0)
        for (const order of Object.values(begun))
          assert.deepEqual(
            order,
            order.toSorted((a, b) => a - b),
          )
        for (const [index, outcome] of outcomes.entries()) {
          const job = list[index]
          if (outcome.status === 'fulfilled') assert.equal(outcome.value, index)
          else
            assert.ok(
              hasCode(outcome.reason, 'ABORTED') ? job?.abortAfter !== null : job?.fails,
              String(outcome.reason),
            )
        }
      }),
    )
  })
})

describe('work that steps aside while it waits', () => {
  it('keeps its key, and no place from others, and comes back to the next one that is free', async () => {
    const queue = new BackupQueue(1)
    const log: string[] = []
    const [free, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const waiting = queue.run('a', async (aside) => {
      log.push('a waits')
      await aside(() => free.promise)
      log.push('a goes on')
    })
    const after = queue.run('a', async () => void log.push('a again'))
    const other = queue.run('b', async () => {
      log.push('b begins')
      await held.promise
      log.push('b ends')
    })
    await wait(5)
    assert.deepEqual(log, ['a waits', 'b begins'])
    free.resolve()
    await wait(5)
    assert.deepEqual(log, ['a waits', 'b begins'], 'there is one place')
    held.resolve()
    await Promise.all([waiting, after, other])
    assert.deepEqual(log, ['a waits', 'b begins', 'b ends', 'a goes on', 'a again'])
    await queue.idle()
  })

  it('has no place when that fails, or is given up, and takes none from the next', async () => {
    const queue = new BackupQueue(1)
    const failing = queue.run('a', (aside) => aside(() => Promise.reject(new Error('failed'))))
    await assert.rejects(failing, /failed/)
    const controller = new AbortController()
    const held = Promise.withResolvers<void>()
    const givenUp = queue.run('a', async (aside) => {
      await aside(async () => {
        void queue.run('b', () => held.promise)
        await wait(3)
      }, controller.signal)
    })
    await wait(5)
    controller.abort()
    await assert.rejects(givenUp, (error) => hasCode(error, 'ABORTED'))
    let most = 0
    let running = 0
    const count = async (): Promise<void> => {
      running += 1
      most = Math.max(most, running)
      await wait(2)
      running -= 1
    }
    const rest = ['c', 'd'].map((key) => queue.run(key, count))
    await wait(5)
    assert.equal(most, 0, 'b has the place')
    held.resolve()
    await Promise.all(rest)
    assert.equal(most, 1)
    await queue.idle()
  })
})

async function wait(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}
