import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkerWatch } from '../../../src/agent/worker/worker-watch.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { ManualClock, turns } from '../notify/support/manual-clock.ts'
import { FakeWorker } from '../support/fake-worker.ts'

function scene(count: number) {
  const clock = new ManualClock()
  const workers = Array.from({ length: count }, () => new FakeWorker())
  const warnings: string[] = []
  let answers = 0
  const watch = new WorkerWatch({
    workers: () => workers,
    clock,
    log: { warn: (message) => void warnings.push(message) },
    onStatus: () => {
      answers += 1
    },
  })
  return { clock, workers, warnings, watch, answers: () => answers }
}

describe('asking workers', () => {
  it('takes no time when all answer', async () => {
    const { clock, workers, watch, answers } = scene(3)
    for (const worker of workers) worker.answers.status = () => ({})
    await watch.ask()
    assert.equal(answers(), 3)
    assert.deepEqual(watch.silent, [])
    assert.deepEqual(clock.waits, [])
  })

  it('waits for one that hangs only a while, asks it once, and says for how long it has been silent', async () => {
    const { clock, workers, watch, answers } = scene(2)
    const [good = assert.fail(), hanging = assert.fail()] = workers
    good.answers.status = () => ({})
    const late = Promise.withResolvers<object>()
    hanging.answers.status = () => late.promise
    for (let round = 0; round < 3; round += 1) {
      const asked = watch.ask()
      await clock.pass(30_000)
      await asked
    }
    assert.equal(answers(), 3)
    assert.equal(hanging.calls.length, 1)
    assert.deepEqual(watch.silent, [{ pid: hanging.pid, silentMs: 90_000 }])
    late.resolve({})
    await turns()
    assert.equal(answers(), 4, 'a late answer counts')
    assert.deepEqual(watch.silent, [])
  })

  it('does not take a clock that jumps, or a night that the machine slept, for silence', async () => {
    const { clock, workers, watch } = scene(1)
    for (const days of [1, -2, 365]) {
      const asked = watch.ask()
      await clock.pass(5_000)
      await asked
      clock.time += days * 86_400_000
    }
    assert.deepEqual(watch.silent, [{ pid: workers[0]?.pid, silentMs: 2 * 60_000 }])
  })

  it('leaves the death of one to those who use it, and tells of anything else', async () => {
    const { workers, watch, warnings } = scene(1)
    const [worker = assert.fail()] = workers
    worker.answers.status = () => Promise.reject(new HoldfastError('ENGINE_DIED', 'Gone.'))
    await watch.ask()
    assert.deepEqual(warnings, [])
    worker.answers.status = () => Promise.reject(new HoldfastError('INTERNAL', 'A bug.'))
    await watch.ask()
    assert.equal(warnings.length, 1)
    assert.deepEqual(watch.silent, [])
  })
})
