import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentDatabase } from '../../src/agent/agent-databases.ts'
import type { DatabaseConfig } from '../../src/agent/config/config.ts'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import { observeSilentWorkers } from '../../src/agent/notify/conditions/silent-worker.ts'
import type { Observation } from '../../src/agent/notify/engine/advance.ts'
import { Rounds } from '../../src/agent/rounds.ts'
import type { SilentWorker } from '../../src/agent/worker/worker-watch.ts'
import { HoldfastError } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ManualClock } from './notify/support/manual-clock.ts'
import { databaseConfig } from './support/database-config.ts'
import { app, followApp } from './support/followed-app.ts'

async function scene(names: readonly string[]) {
  const repository = await Repository.init(new MemoryStorage())
  const seen: Observation[][] = []
  const warnings: string[] = []
  const asked: string[] = []
  let failing: (name: string) => Error | undefined = () => undefined
  const silent: SilentWorker[] = []
  const maybe = { gone: false }
  const place = { isGone: false }
  const doubts: string[] = []
  const metrics = new Metrics()
  const newest = new Map<string, number>()
  const all: AgentDatabase[] = names.map((name) => {
    const path = `/srv/${name}.db`
    return { name, path, config: databaseConfig({ source: { kind: 'path', path, name } }), followed: undefined }
  })
  const rounds = new Rounds({
    repository,
    databases: () => all,
    away: () => [],
    mayBeGone: () => maybe.gone,
    workers: { ask: async () => {}, silent },
    hungWorkers: { look: observeSilentWorkers },
    scheduler: { list: () => [] },
    notifier: { observe: (observations) => void seen.push([...observations]), firing: [] },
    metrics,
    freshness: {
      newestStateAt: ({ name }) => newest.get(name),
      lastBackupAt: () => undefined,
      window: () => undefined,
      observe: async ({ name }) => {
        asked.push(name)
        const error = failing(name)
        if (error !== undefined) throw error
        return [{ what: 'absent', key: `overdue/${name}` }]
      },
    },
    log: { warn: (message) => void warnings.push(message) },
    now: () => 0,
    disks: { look: async () => [] },
    presence: { look: async () => place.isGone, doubt: () => void doubts.push('doubted') },
  })
  return {
    rounds,
    seen,
    warnings,
    asked,
    silent,
    maybe,
    place,
    doubts,
    all,
    newest,
    measured: async (prefix: string) => {
      rounds.measure()
      const { body } = await metrics.render()
      return body.split('\n').filter((line) => line.startsWith(prefix))
    },
    fails: (how: typeof failing) => {
      failing = how
    },
    present: () => seen.flat().flatMap((each) => (each.what === 'present' ? each.condition.key : [])),
  }
}

const { signal } = new AbortController()
const away = (): Error => new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.')

describe('the rounds of an agent', () => {
  it('tell of what waits on this machine before they ask a repository, which may take its time', async () => {
    const all = await scene([])
    const { rounds, all: databases, seen, present, fails } = all
    const clock = new ManualClock()
    const { followed, worker, following } = await followApp(clock)
    following.emit({ kind: 'started', mode: 'commits', how: 'first', lsn: toLsn(1), time: 1 })
    following.emit({ kind: 'commits', count: 1, bytes: 1, lsn: toLsn(2), time: 1 })
    await clock.pass(3_600_000)
    databases.push({ ...app, config: databaseConfig({ source: { kind: 'path', ...app } }), followed })
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
    worker.answers.stop = () => {
      following.end(left)
      return left
    }
    await followed.stop(0)
  })

  it('ask a repository that is away once, not once for each database, and begin with another the next time', async () => {
    const all = await scene(['a', 'b', 'c'])
    const { rounds, asked, warnings, fails } = all
    fails((name) => (name === 'a' ? away() : undefined))
    await rounds.make(signal)
    assert.deepEqual(asked.splice(0), ['a'])
    assert.equal(warnings.length, 1)
    await rounds.make(signal)
    assert.deepEqual(asked.splice(0), ['b', 'c', 'a'], 'one that always fails hides no other')
  })

  it('go on to the next database where only one cannot be read, which is told once until it can', async () => {
    const all = await scene(['a', 'b'])
    const { rounds, asked, warnings, fails } = all
    const torn = () => fails((name) => (name === 'a' ? new HoldfastError('INTEGRITY', 'Torn.') : undefined))
    torn()
    await rounds.make(signal)
    assert.deepEqual(asked, ['a', 'b'])
    await rounds.make(signal)
    assert.equal(warnings.length, 1)
    fails(() => undefined)
    await rounds.make(signal)
    torn()
    await rounds.make(signal)
    assert.equal(warnings.length, 2)
  })

  it('ask nothing of a repository that is gone, and doubt that one is there in which there is nothing', async () => {
    const { rounds, all: databases, asked, warnings, fails, place, doubts } = await scene(['a', 'b'])
    fails(() => new HoldfastError('REPOSITORY_NOT_FOUND', 'It is gone.'))
    await rounds.make(signal)
    assert.deepEqual([asked.splice(0), doubts, warnings], [['a'], ['doubted'], []])
    const { followed, following, worker } = await followApp(new ManualClock())
    following.emit({ kind: 'started', mode: 'commits', how: 'first', lsn: toLsn(1), time: 1 })
    databases.push({ ...app, config: databaseConfig({ source: { kind: 'path', ...app } }), followed })
    place.isGone = true
    await rounds.make(signal)
    assert.deepEqual(asked, ['app'], 'its follower says how new it is')
    worker.answers.stop = () => {
      following.end({ segments: 0, bytes: 0 })
      return { segments: 0, bytes: 0 }
    }
    await followed.stop(0)
  })

  it('do not tell of a database that cannot be read while it may just have been deleted', async () => {
    const all = await scene([])
    const { rounds, all: databases, maybe, present } = all
    const { followed, following, worker } = await followApp(new ManualClock())
    following.emit({ kind: 'started', mode: 'commits', how: 'first', lsn: toLsn(1), time: 1 })
    following.emit({ kind: 'retrying', what: 'database', message: 'There is no file.', delayMs: 1, failures: 2 })
    const config = databaseConfig({ source: { kind: 'path', ...app } })
    databases.push({ ...app, config, followed })
    maybe.gone = true
    await rounds.make(signal)
    assert.deepEqual(present(), [])
    maybe.gone = false
    await rounds.make(signal)
    assert.deepEqual(present(), ['failure/follow/app/reading'])
    worker.answers.stop = () => {
      following.end({ segments: 0, bytes: 0 })
      return { segments: 0, bytes: 0 }
    }
    await followed.stop(0)
  })

  it('measure how new the state is of a database that is not followed, where a backup of it is expected', async () => {
    const { all, newest, measured } = await scene([])
    const of = (name: string, more: Partial<DatabaseConfig>): AgentDatabase => {
      const path = `/srv/${name}.db`
      const config = databaseConfig({ source: { kind: 'path', path, name }, ...more })
      return { name, path, config, followed: undefined }
    }
    all.push(
      of('limited', { overdueAfterMs: 3_600_000 }),
      of('made-elsewhere', {}),
      of('none-yet', { overdueAfterMs: 1 }),
    )
    newest.set('limited', 5_000)
    newest.set('made-elsewhere', 5_000)
    const series = 'holdfast_newest_state_timestamp_seconds{'
    assert.deepEqual(await measured(series), [`${series}database="limited"} 5`])
    newest.set('limited', 9_000)
    assert.deepEqual(await measured(series), [`${series}database="limited"} 9`])
  })

  it('tell of a worker that has not answered for long, and that it does again', async () => {
    const all = await scene([])
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
