import assert from 'node:assert/strict'
import { FollowedDatabase } from '../../../src/agent/follow/followed-database.ts'
import { type ManualClock, turns } from '../notify/support/manual-clock.ts'
import { type FakeFollowing, FakePool, type FakeWorker } from './fake-worker.ts'

export const app = { name: 'app', path: '/srv/app.db' } as const

/** A database of which following was just asked for, with a test's hand on its worker and on the following. */
export async function followApp(clock: ManualClock): Promise<{
  readonly followed: FollowedDatabase
  readonly worker: FakeWorker
  readonly following: FakeFollowing
}> {
  const pool = new FakePool()
  const followed = new FollowedDatabase({
    ...app,
    storage: { kind: 'host' },
    request: {},
    pool,
    clock,
    mayStart: async () => () => {},
    onEvent: () => {},
    onState: () => {},
    onStopFailed: () => {},
  })
  followed.start()
  await turns()
  const [following = assert.fail()] = pool.worker.followings
  return { followed, worker: pool.worker, following }
}
