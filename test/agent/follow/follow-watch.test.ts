import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentLog } from '../../../src/agent/agent-log.ts'
import type { FollowFacts } from '../../../src/agent/follow/follow-facts.ts'
import { FollowWatch } from '../../../src/agent/follow/follow-watch.ts'
import { Metrics } from '../../../src/agent/metrics/metrics.ts'
import { Notifier } from '../../../src/agent/notify/notifier.ts'
import { WorkerReplaced } from '../../../src/agent/worker/worker-replaced.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { HoldfastError, toHoldfastError } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { journalPlace } from '../journal/support/journals.ts'

const base: Omit<FollowFacts, 'state'> = {
  since: 0,
  error: undefined,
  mode: undefined,
  how: undefined,
  lsn: 0,
  durableLsn: 0,
  lagMs: 0,
  waiting: { segments: 0, bytes: 0 },
  commits: 0,
  lastCommitAt: undefined,
  lastUploadAt: undefined,
  trouble: undefined,
}

async function scene() {
  const { folder, open } = journalPlace()
  const journal = open()
  const notifier = await Notifier.open({ folder: folder.file('agent'), channels: [] })
  const lines: string[] = []
  const counted: unknown[] = []
  const watch = new FollowWatch({
    repositoryName: 'memory:',
    journal,
    metrics: new Metrics(),
    notifier,
    scheduler: {
      notifyCommits: (...told) => void counted.push(told),
      notifyFollowed: (...told) => void counted.push(told),
    },
    log: new AgentLog({ level: 'info', format: 'text' }, (line) => void lines.push(line), Date.now),
    now: Date.now,
    onWindow: () => {},
    mayBeGone: (name) => name === 'deleted',
  })
  return {
    watch,
    lines,
    counted,
    keys: () => notifier.firing.map(({ key }) => key),
    history: async () => {
      await watch.idle()
      return (await journal.operations()).map(({ kind, outcome }) => `${kind} ${outcome}`)
    },
    async [Symbol.asyncDispose]() {
      await notifier[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

test('commits are counted for the schedules that wait for so many', async () => {
  await using all = await scene()
  all.watch.event('app', { kind: 'started', mode: 'commits', how: 'resumed', lsn: toLsn(4), time: 900 })
  all.watch.event('app', { kind: 'commits', count: 3, bytes: 4096, lsn: toLsn(7), time: 1000 })
  assert.deepEqual(all.counted, [
    ['app', 4],
    ['app', { commits: 3, bytes: 4096, lsn: 7 }, 1000],
  ])
})

test('a gap is an alert at once', async () => {
  await using all = await scene()
  const now = Date.now()
  const reason = gapReasons['log-reset']
  all.watch.event('app', { kind: 'gap', fromLsn: toLsn(1), toLsn: toLsn(2), fromTime: now - 1000, toTime: now, reason })
  assert.deepEqual(all.keys(), ['gap/app'])
})

test('following that fails is an alert and one entry in the history, and clears when it goes on', async () => {
  await using all = await scene()
  const error = new HoldfastError('DATABASE_BUSY', 'Somebody has it.')
  for (let time = 0; time < 3; time += 1) all.watch.state('app', { ...base, state: 'waiting', error })
  assert.deepEqual(all.keys(), ['failure/follow/app/'])
  assert.equal(all.lines.filter((line) => line.includes('Somebody has it.')).length, 1)
  all.watch.state('app', { ...base, state: 'following' })
  assert.deepEqual(all.keys(), [])
  assert.deepEqual(await all.history(), ['follow failed', 'follow running'])
})

test('following that fails because another has the lease says what can be done about that here', async () => {
  await using all = await scene()
  const repository = await Repository.init(new MemoryStorage())
  const database = repository.database('app')
  await using _ = await Lease.acquire(database, { purpose: 'follow' })
  const error = await Lease.acquire(database, { purpose: 'follow' }).then(() => assert.fail(), toHoldfastError)
  assert.equal(error.code, 'LEASE_HELD')
  all.watch.state('app', { ...base, state: 'waiting', error })
  assert.match(all.lines.join('\n'), /asked for again every ten seconds/)
  assert.doesNotMatch(all.lines.join('\n'), /--wait/)
})

test('following that finds no database is no alert as long as it may have been deleted on purpose', async () => {
  await using all = await scene()
  const error = new HoldfastError('DATABASE_NOT_FOUND', 'There is no database.')
  for (const name of ['deleted', 'app']) all.watch.state(name, { ...base, state: 'waiting', error })
  assert.deepEqual(all.keys(), ['failure/follow/app/'])
})

test('following that goes on with another worker, because its own hung, is no alert: unless that fails', async () => {
  await using all = await scene()
  all.watch.state('app', { ...base, state: 'following' })
  all.watch.state('app', { ...base, state: 'waiting', error: new WorkerReplaced(7, 600_000) })
  assert.deepEqual(all.keys(), [])
  assert.deepEqual(await all.history(), ['follow interrupted'])
  all.watch.state('app', { ...base, state: 'waiting', error: new HoldfastError('ENGINE_DIED', 'It ended.') })
  assert.deepEqual(all.keys(), ['failure/follow/app/'])
})

test('what is left at a stop is told', async () => {
  await using all = await scene()
  all.watch.state('app', { ...base, state: 'following' })
  all.watch.state('app', { ...base, state: 'stopped', waiting: { segments: 2, bytes: 900 } })
  assert.match(
    all.lines.join('\n'),
    /Commits of app are not in the repository yet: the next start uploads them.*segments=2/,
  )
  assert.deepEqual(await all.history(), ['follow succeeded'])
})

test('a stop that failed is told with its reason, and following was interrupted by it', async () => {
  await using all = await scene()
  const error = new HoldfastError('DISK_FULL', 'No room for the spool.')
  all.watch.state('app', { ...base, state: 'following' })
  all.watch.stopFailed('app', error)
  all.watch.state('app', { ...base, state: 'stopped', error })
  assert.match(all.lines.join('\n'), / error Following app did not end in order\. No room for the spool\..*DISK_FULL/)
  assert.deepEqual(await all.history(), ['follow interrupted'])
  assert.deepEqual(all.keys(), [])
})
