import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { FollowedDatabase } from '../../../src/agent/follow/followed-database.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ManualClock, turns } from '../notify/support/manual-clock.ts'
import { FakePool } from '../support/fake-worker.ts'

/** One in whose spool two segments of 100 bytes wait. */
function scene() {
  const folder = temporaryFolder()
  mkdirSync(folder.file('spool'))
  for (const name of ['1', '2']) writeFileSync(folder.file(`spool/${name}.hfs.spool`), Buffer.alloc(100))
  const pool = new FakePool()
  const clock = new ManualClock()
  const followed = new FollowedDatabase({
    name: 'app',
    path: '/srv/app.db',
    storage: { kind: 'location', location: 'file:///srv/backups' },
    request: { stateFolder: folder.path },
    pool,
    clock,
    mayStart: async () => () => {},
    onEvent: () => {},
    onState: ({ state, waiting }) => void (state === 'stopped' && told.push(waiting)),
    onStopFailed: () => {},
  })
  const told: unknown[] = []
  const following = () => pool.worker.followings.at(-1) ?? assert.fail('It is not being followed.')
  const begin = async (): Promise<void> => {
    followed.start()
    await turns()
    following().emit({ kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(1), time: 1 })
  }
  return { pool, clock, followed, following, begin, told, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const spooled = { segments: 2, bytes: 200 }

describe('what a stopped database leaves for the next start', () => {
  it('is what its worker says, if it says so', async () => {
    using all = scene()
    const { pool, followed, begin, following, told } = all
    await begin()
    const left = { segments: 1, bytes: 7 }
    pool.worker.answers.stop = () => {
      following().end(left)
      return left
    }
    assert.deepEqual(await followed.stop(1000), left)
    assert.deepEqual(told, [left])
  })

  it('is what lies in its spool when its worker hangs', async () => {
    using all = scene()
    const { clock, followed, begin } = all
    await begin()
    const stopped = followed.stop(1000)
    await clock.pass(15_000)
    assert.deepEqual(await stopped, spooled)
  })

  it('is that too when its worker fails to stop it, or dies', async () => {
    for (const code of ['STORAGE_DENIED', 'ENGINE_DIED'] as const) {
      using all = scene()
      const { pool, followed, begin, following, told } = all
      await begin()
      pool.worker.answers.stop = () => {
        const error = new HoldfastError(code, 'No.')
        following().fail(error)
        throw error
      }
      assert.deepEqual(await followed.stop(1000), spooled)
      assert.deepEqual(told, [spooled])
    }
  })

  it('is that too while it is not followed', async () => {
    using all = scene()
    const { followed, following, told } = all
    followed.start()
    await turns()
    following().fail(new HoldfastError('LEASE_HELD', 'Another process works on app.'))
    await turns()
    assert.deepEqual(await followed.stop(1000), spooled)
    assert.deepEqual(told, [spooled])
  })
})
