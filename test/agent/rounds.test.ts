import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentDatabase } from '../../src/agent/agent-databases.ts'
import { FollowedDatabase } from '../../src/agent/follow/followed-database.ts'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import type { Observation } from '../../src/agent/notify/engine/advance.ts'
import { Rounds } from '../../src/agent/rounds.ts'
import type { SilentWorker } from '../../src/agent/worker/worker-watch.ts'
import { HoldfastError } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ManualClock, turns } from './notify/support/manual-clock.ts'
import { databaseConfig } from './support/database-config.ts'
import { FakePool } from './support/fake-worker.ts'

async function scene(names: readonly string[]) {
  const repository = await Repository.init(new MemoryStorage())
  const seen: Observation[][] = []
  const warnings: string[] = []
  const asked: string[] = []
  let failing: (name: string) => Error | undefined = () => undefined
  const silent: SilentWorker[] = []
  const all: AgentDatabase[] = names.map((name) => {
    const path = `/srv/${name}.db`
    return { name, path, config: databaseConfig({ source: { kind: 'path', path, name } }), followed: undefined }
  })
  const folder = temporaryFolder()
  const rounds = new Rounds({
    repository,
    databases: () => all,
    away: () => [],
    workers: { ask: async () => {}, silent },
    hungWorkers: { end: () => [] },
    scheduler: { list: () => [] },
    notifier: { observe: (observations) => void seen.push([...observations]), firing: [] },
    metrics: new Metrics(),
    freshness: {
      get: () => undefined,
      lastBackupAt: () => undefined,
      window: () => undefined,
      observe: async ({ name }) => {
        asked.push(name)
        const error = failing(name)
        if (error !== undefined) throw error
        return [{ what: 'absent', key: `overdue/${name}` }]
      },
    },
    log: { warn: (message) => void warnings.push(message), debug: () => {} },
    now: () => 0,
    folders: [{ what: 'the state folder', path: folder.path }],
  })
  return {
    rounds,
    seen,
    warnings,
    asked,
    silent,
    all,
    fails: (how: typeof failing) => {
      failing = how
    },
    present: () => seen.flat().flatMap((each) => (each.what === 'present' ? each.condition.key : [])),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

const { signal } = new AbortController()
const away = (): Error => new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.')

describe('the rounds of an agent', () => {
  it('tell of what waits on this machine before they ask a repository, which may take its time', async () => {
    using all = await scene([])
    const { rounds, all: databases, seen, present, fails } = all
    const clock = new ManualClock()
    const pool = new FakePool()
    const followed = new FollowedDatabase({
      name: 'app',
      path: '/srv/app.db',
      storage: { kind: 'host' },
      request: {},
      pool,
      clock,
      mayStart: async () => () => {},
      onEvent: () => {},
      onState: () => {},
    })
    followed.start()
    await turns()
    const [following = assert.fail()] = pool.worker.followings
    following.emit({ kind: 'started', mode: 'commits', how: 'first', lsn: toLsn(1), time: 1 })
    following.emit({ kind: 'commits', count: 1, bytes: 1, lsn: toLsn(2), time: 1 })
    await clock.pass(3_600_000)
    const config = databaseConfig({ source: { kind: 'path', path: '/srv/app.db', name: 'app' } })
    databases.push({ name: 'app', path: '/srv/app.db', config, followed })
    let before: number | undefined
    fails(() => {
      before = seen.length
      return undefined
    })
    await rounds.make(signal)
    assert.equal(before, 1)
    assert.deepEqual(present(), ['lag/app'])
    following.emit({ kind: 'uploaded', segment: 's', lsn: toLsn(2), bytes: 1, lagMs: 1 })
    await rounds.make(signal)
    assert.ok(
      seen
        .slice(2)
        .flat()
        .some((each) => each.what === 'absent' && each.key === 'lag/app'),
    )
    const left = { segments: 0, bytes: 0 }
    pool.worker.answers.stop = () => {
      following.end(left)
      return left
    }
    await followed.stop(0)
  })

  it('ask a repository that is away once, not once for each database, and begin with another the next time', async () => {
    using all = await scene(['a', 'b', 'c'])
    const { rounds, asked, warnings, fails } = all
    fails((name) => (name === 'a' ? away() : undefined))
    await rounds.make(signal)
    assert.deepEqual(asked.splice(0), ['a'])
    assert.equal(warnings.length, 1)
    await rounds.make(signal)
    assert.deepEqual(asked.splice(0), ['b', 'c', 'a'], 'one that always fails hides no other')
  })

  it('go on to the next database where only one cannot be read', async () => {
    using all = await scene(['a', 'b'])
    const { rounds, asked, fails } = all
    fails((name) => (name === 'a' ? new HoldfastError('INTEGRITY', 'Torn.') : undefined))
    await rounds.make(signal)
    assert.deepEqual(asked, ['a', 'b'])
  })

  it('tell of a worker that has not answered for long, and that it does again', async () => {
    using all = await scene([])
    const { rounds, silent, present, seen } = all
    silent.push({ pid: 7, silentMs: 60_000 })
    await rounds.make(signal)
    assert.deepEqual(present(), [])
    silent.push({ pid: 8, silentMs: 3_600_000 })
    await rounds.make(signal)
    assert.deepEqual(present(), ['agent/silent'])
    silent.length = 0
    seen.length = 0
    await rounds.make(signal)
    assert.ok(seen.flat().some((each) => each.what === 'absent' && each.key === 'agent/silent'))
  })
})
