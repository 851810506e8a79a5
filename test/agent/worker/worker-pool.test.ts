import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkerPool } from '../../../src/agent/worker/worker-pool.ts'
import { HoldfastError, hasCode } from '../../../src/errors.ts'

const isDead = (error: unknown): boolean => hasCode(error, 'ENGINE_DIED')

describe('the pool of workers', () => {
  it('hands out another in the place of one that died, whoever used it', async () => {
    await using pool = new WorkerPool({ handlers: {} }, 1)
    for (let time = 0; time < 3; time += 1) {
      using place = pool.take()
      assert.deepEqual(await place.worker.call('status', undefined), {})
      const { pid = assert.fail() } = place.worker
      process.kill(pid, 'SIGKILL')
      await assert.rejects(place.worker.call('status', undefined), isDead)
      assert.deepEqual(pool.workers, [])
    }
  })

  it('ends one that hangs, and says why to whoever used it', async () => {
    await using pool = new WorkerPool({ handlers: {} }, 1)
    using place = pool.take()
    await place.worker.call('status', undefined)
    const { pid = assert.fail() } = place.worker
    process.kill(pid, 'SIGSTOP')
    const asked = place.worker.call('status', undefined)
    const reason = new HoldfastError('ENGINE_DIED', 'It hung.')
    pool.end(pid, reason)
    await assert.rejects(asked, reason)
    await assert.rejects(place.worker.call('status', undefined), reason)
    using other = pool.take()
    assert.notEqual(other.worker.pid, pid)
  })

  it('counts nobody in whom it could give no worker', async () => {
    let isThere = false
    const gone = new HoldfastError('ENGINE_DIED', 'The program is not there.')
    const entry = (): URL => {
      if (!isThere) throw gone
      return new URL('../../../src/agent/worker/engine.ts', import.meta.url)
    }
    await using pool = new WorkerPool({ handlers: {} }, 2, entry)
    for (let time = 0; time < 3; time += 1) assert.throws(() => pool.take(), isDead)
    isThere = true
    using one = pool.take()
    using other = pool.take()
    assert.notEqual(one.worker.pid, other.worker.pid)
  })

  it('starts none after its end, and does not wait for one that hangs', async () => {
    const pool = new WorkerPool({ handlers: {} }, 1)
    using place = pool.take()
    await place.worker.call('status', undefined)
    process.kill(place.worker.pid ?? assert.fail(), 'SIGSTOP')
    await pool[Symbol.asyncDispose]()
    assert.throws(
      () => pool.take(),
      (error) => hasCode(error, 'ABORTED'),
    )
  })
})
