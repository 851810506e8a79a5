import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AgentLog } from '../../../src/agent/agent-log.ts'
import type { FollowConfig } from '../../../src/agent/config/config.ts'
import { OtherAgents } from '../../../src/agent/expectations/other-agents.ts'
import { RecordKeeper } from '../../../src/agent/expectations/record-keeper.ts'
import { Notifier } from '../../../src/agent/notify/notifier.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { forgetAgent, readAgentRecords } from '../../../src/repository/agent-record.ts'
import { writeDocument } from '../../../src/repository/documents.ts'
import { leaseKey } from '../../../src/repository/layout.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { ObserveStorage } from '../../../src/storage/observe/observe-storage.ts'
import { currentProcess } from '../../../src/util/process-identity.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { databaseConfig } from '../support/database-config.ts'
import { putFollowLease } from '../support/follow-lease.ts'

const hour = 3_600_000

const found = (name: string, every = 'daily') => {
  const path = `/srv/${name}.db`
  const schedules = [parseScheduleSpec({ type: 'full', every })]
  return { name, path, config: databaseConfig({ source: { kind: 'path', path, name }, schedules }) }
}

/** Two agents, of which one goes on: by a clock of their own. */
async function scene() {
  const folder = temporaryFolder()
  const written: string[] = []
  const storage = new ObserveStorage(new MemoryStorage(), ({ direction, key }) => {
    if (direction === 'sent') written.push(key)
  })
  const repository = await Repository.init(storage)
  let now = Date.now()
  const lines: string[] = []
  const log = new AgentLog(
    { level: 'debug', format: 'text' },
    (line) => void lines.push(line),
    () => now,
  )
  const agent = async (number: number, databases: ReturnType<typeof found>[]) => {
    const deleted = new Set<string>()
    const letGo: string[] = []
    let isInUse = false
    const notifier = await Notifier.open({ folder: join(folder.path, String(number)), channels: [] })
    const owner = {
      id: `0b9e4c1e-0000-4000-8000-00000000000${number}`,
      host: `db${number}`,
      config: '/etc/holdfast.yaml',
    }
    const others = new OtherAgents({
      repository,
      keeper: new RecordKeeper(repository.storage, owner),
      notifier,
      log,
      now: () => now,
      own: () => databases,
      deleted: () => deleted,
      letGo: async (name) => {
        letGo.push(name)
        return isInUse ? 'in-use' : 'freed'
      },
    })
    return {
      notifier,
      owner,
      look: () => others.look(signal),
      keys: () => notifier.firing.map(({ key }) => key),
      databases,
      deleted,
      letGo,
      use: (inUse: boolean) => {
        isInUse = inUse
      },
      changed: () => others.changed(),
    }
  }
  const first = await agent(1, [found('mine')])
  const second = await agent(2, [found('theirs')])
  return {
    repository,
    written,
    lines,
    first,
    second,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    now: () => now,
    async [Symbol.asyncDispose]() {
      await first.notifier[Symbol.asyncDispose]()
      await second.notifier[Symbol.asyncDispose]()
      await rm(folder.path, { recursive: true, force: true })
    },
  }
}

const follow: FollowConfig = {
  syncIntervalMs: 1_000,
  maxBatchBytes: 1_000_000,
  deltaIntervalMs: 60_000,
  enableWal: false,
  handOff: { logBytes: 1_000_000, ageMs: 60_000 },
  auditIntervalMs: 0,
  spoolLimitBytes: 1_000_000,
}

/** A backup of a database at that time, as far as a listing tells. */
async function backUp(repository: Repository, name: string, at: number): Promise<void> {
  const time = new Date(at).toISOString().replace(/[-:.]/g, '')
  await repository.storage.put(`databases/${name}/backups/${time}-full-abcdefghijkl.json`, Buffer.from('{}'))
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

describe('agents on one repository', () => {
  it('notice by its schedules that another is gone, and that its backups come again', async () => {
    await using all = await scene()
    const { repository, first, second, pass, now } = all
    await backUp(repository, 'theirs', now())
    await second.look()
    await first.look()
    assert.deepEqual(first.keys(), [])
    pass(72 * hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
    assert.match(first.notifier.firing[0]?.summary ?? '', /agent on db2/)
    await backUp(repository, 'theirs', now())
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'], 'it looks once an hour')
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
  })

  it('forget with its database what was said of it, when nobody expects it any more', async () => {
    await using all = await scene()
    const { repository, first, second, pass } = all
    await second.look()
    pass(72 * hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
    await forgetAgent(repository.storage, second.owner.id)
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
    await assert.rejects(forgetAgent(repository.storage, second.owner.id), { code: 'NAME_NOT_FOUND' })
  })

  it('take back what they promised an hour after their configuration dropped it', async () => {
    await using all = await scene()
    const { repository, second, pass } = all
    const promised = async () => {
      const { records } = await readAgentRecords(repository.storage)
      return records.flatMap(({ plans }) => plans.flatMap(({ databases }) => Object.keys(databases)))
    }
    await second.look()
    second.databases.splice(0)
    pass(hour)
    await second.look()
    assert.deepEqual(await promised(), ['theirs'])
    pass(hour)
    await second.look()
    assert.deepEqual(await promised(), [])
  })

  it('expect nothing more of a database that its owner deleted, nor call it overdue themselves', async () => {
    await using all = await scene()
    const { repository, second, pass, now } = all
    await backUp(repository, 'theirs', now())
    await leaveLease(repository, 'theirs', 2 * hour)
    await second.look()
    second.databases.splice(0)
    // As if it had not been seen yet that it was deleted, or was dropped for another reason.
    pass(72 * hour)
    await second.look()
    assert.deepEqual(second.keys(), [], 'it is no work of others')
    second.deleted.add('theirs')
    second.changed()
    await second.look()
    assert.deepEqual(second.keys(), [])
    const { records } = await readAgentRecords(repository.storage)
    assert.ok(!records.some(({ plans }) => plans.some(({ databases }) => 'theirs' in databases)))
  })

  it('let go once of what they do not look after any more, and again and again while somebody still works with it', async () => {
    await using all = await scene()
    const { second, pass } = all
    const { letGo, use, databases, deleted } = second
    await second.look()
    assert.deepEqual(letGo, [])
    const [theirs = assert.fail()] = databases.splice(0)
    use(true)
    pass(hour)
    await second.look()
    assert.deepEqual(letGo.splice(0), ['theirs'], 'its configuration dropped it')
    use(false)
    deleted.add('theirs')
    for (let times = 0; times < 3; times += 1) {
      pass(hour)
      await second.look()
    }
    assert.deepEqual(letGo.splice(0), ['theirs'])
    deleted.clear()
    databases.push(theirs)
    pass(hour)
    await second.look()
    databases.splice(0)
    pass(hour)
    await second.look()
    assert.deepEqual(letGo, ['theirs'], 'it was looked after meanwhile')
  })

  it('write down what is expected of them once, not again and again', async () => {
    await using all = await scene()
    const { written, second, pass } = all
    await second.look()
    const before = written.length
    for (let times = 0; times < 3; times += 1) {
      pass(hour)
      await second.look()
    }
    assert.equal(written.length, before)
    second.databases.push(found('another'))
    pass(hour)
    await second.look()
    assert.deepEqual(written.slice(before), [`agents/${second.owner.id}.json`])
  })

  it('tell of a follower without an agent that died, and that it is back', async () => {
    await using all = await scene()
    const { repository, first, pass } = all
    await leaveLease(repository, 'theirs', 2 * hour)
    await leaveLease(repository, 'mine', 2 * hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
    assert.match(first.notifier.firing[0]?.hint ?? '', /holdfast agents forget --database theirs/)
    await using lease = await Lease.acquire(repository.database('theirs'), { purpose: 'follow' })
    assert.ok(lease.epoch > 1)
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
  })

  it('notice that a follower lives, but what it takes does not get into the repository', async () => {
    await using all = await scene()
    const { repository, first, second, pass, now } = all
    const [theirs = assert.fail()] = second.databases.splice(0)
    second.databases.push({ ...theirs, config: { ...theirs.config, follow, schedules: [], overdueAfterMs: 60_000 } })
    await backUp(repository, 'theirs', now())
    const says = (coveredAt: number) =>
      putFollowLease(repository, 'theirs', {
        acquiredAt: new Date(now() - 48 * hour).toISOString(),
        coveredAt: new Date(coveredAt).toISOString(),
      })
    await second.look()
    pass(2 * hour)
    await says(now() - 0.7 * hour)
    await first.look()
    assert.deepEqual(first.keys(), [], 'it says so only now and then')
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
    assert.match(
      first.notifier.firing[0]?.summary ?? '',
      /newest state of theirs .* is 1 h 42 min old; the agent on db2/,
    )
    await says(now())
    pass(hour / 2)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'], 'it looks once an hour')
    await says(now())
    pass(hour / 2)
    await first.look()
    assert.deepEqual(first.keys(), [])
  })

  it('look at the others all the same where the lease of one is damaged', async () => {
    await using all = await scene()
    const { repository, first, lines } = all
    for (const name of ['a', 'b']) await leaveLease(repository, name, 2 * hour)
    await repository.storage.put(leaseKey('a'), Buffer.from('{'))
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/b'])
    assert.ok(!lines.some((line) => /could not be looked at/.test(line)), lines.join('\n'))
  })

  it('have patience with one that may just be starting again', async () => {
    await using all = await scene()
    const { repository, first, pass } = all
    await leaveLease(repository, 'theirs', 1_000)
    await first.look()
    assert.deepEqual(first.keys(), [])
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
  })
})
