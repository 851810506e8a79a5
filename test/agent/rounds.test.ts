import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentDatabase } from '../../src/agent/agent-databases.ts'
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
    log: { warn: (message) => void warnings.push(message) },
    now: () => 0,
    disks: { look: async () => [] },
  })
  return {
    rounds,
    seen,
    warnings,
    asked,
    silent,
    maybe,
    all,
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

  it('go on to the next database where only one cannot be read', async () => {
    const all = await scene(['a', 'b'])
    const { rounds, asked, fails } = all
    fails((name) => (name === 'a' ? new HoldfastError('INTEGRITY', 'Torn.') : undefined))
    await rounds.make(signal)
    assert.deepEqual(asked, ['a', 'b'])
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
