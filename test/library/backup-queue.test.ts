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

async function wait(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}
