import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { AgentLog } from '../../src/agent/agent-log.ts'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import { Notifier } from '../../src/agent/notify/notifier.ts'
import { RepositoryWatch } from '../../src/agent/repository-watch.ts'
import { writeDocument } from '../../src/repository/documents.ts'
import { leaseKey } from '../../src/repository/layout.ts'
import { Lease } from '../../src/repository/lease.ts'
import { Repository } from '../../src/repository/repository.ts'
import { updateLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { currentProcess } from '../../src/util/process-identity.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const hour = 3_600_000

async function scene() {
  const folder = temporaryFolder()
  const repository = await Repository.init(new MemoryStorage())
  const notifier = await Notifier.open({ folder: folder.path, channels: [] })
  let now = Date.now()
  const lines: string[] = []
  const log = new AgentLog(
    { level: 'debug', format: 'text' },
    (line) => void lines.push(line),
    () => now,
  )
  const watch = new RepositoryWatch({
    repository,
    notifier,
    metrics: new Metrics(),
    log,
    now: () => now,
    own: () => new Set(['mine']),
  })
  return {
    repository,
    notifier,
    lines,
    watch,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    keys: () => notifier.firing.map(({ key }) => key),
    async [Symbol.asyncDispose]() {
      await notifier[Symbol.asyncDispose]()
      await rm(folder.path, { recursive: true, force: true })
    },
  }
}

/** As a follower that was killed leaves it. */
async function leaveLease(repository: Repository, name: string, ago: number): Promise<void> {
  const database = repository.database(name)
  const time = (at: number) => new Date(at).toISOString()
  await database.putRecord({ name, kind: 'sqlite', location: `/srv/${name}.db`, createdAt: time(Date.now() - ago) }, {})
  await writeDocument(database.storage, 'lease', leaseKey(name), {
    epoch: 1,
    released: false,
    lsn: 1,
    pending: null,
    nonce: 'abc',
    owner: { ...currentProcess(), pid: 4_194_303 },
    purpose: 'follow',
    acquiredAt: time(Date.now() - ago),
    expiresAt: time(Date.now() + hour),
  })
}

const signal = new AbortController().signal

describe('what an agent reads from the repository', () => {
  it('tells of the follower of another database that died, and that it is back', async () => {
    await using all = await scene()
    const { repository, watch, keys, pass } = all
    await leaveLease(repository, 'theirs', 2 * hour)
    await leaveLease(repository, 'mine', 2 * hour)
    await watch.lookAtOthers(signal)
    assert.deepEqual(keys(), ['overdue/theirs'])
    await using lease = await Lease.acquire(repository.database('theirs'), { purpose: 'follow' })
    assert.ok(lease.epoch > 1)
    await watch.lookAtOthers(signal)
    assert.deepEqual(keys(), ['overdue/theirs'], 'it looks once an hour')
    pass(hour)
    await watch.lookAtOthers(signal)
    assert.deepEqual(keys(), [])
  })

  it('has patience with one that may just be starting again', async () => {
    await using all = await scene()
    const { repository, watch, keys, pass } = all
    await leaveLease(repository, 'theirs', 1_000)
    await watch.lookAtOthers(signal)
    assert.deepEqual(keys(), [])
    pass(hour)
    await watch.lookAtOthers(signal)
    assert.deepEqual(keys(), ['overdue/theirs'])
  })

  it('tells of damage that any verification found, until another finds the same object sound', async () => {
    await using all = await scene()
    const { repository, watch, keys } = all
    const database = repository.database('mine')
    const [first, second] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']
    const note = async (checkedAt: string, ok: boolean) =>
      await updateLedger(
        database,
        {
          segments: { 'a.hfs': { checkedAt, ok, problem: ok ? '' : 'It is cut short.' } },
          restores: {},
        },
        { segments: new Set(['a.hfs']), backups: new Set() },
      )
    await note(first, false)
    await watch.readVerifications('mine', signal)
    assert.deepEqual(keys(), ['verify/mine'])
    await note(second, true)
    await watch.readVerifications('mine', signal)
    assert.deepEqual(keys(), [])
  })
})
