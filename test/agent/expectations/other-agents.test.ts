import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forgetAgent, readAgentRecords } from '../../../src/repository/agent-record.ts'
import { leaseKey } from '../../../src/repository/layout.ts'
import { Lease } from '../../../src/repository/lease.ts'
import { putFollowLease } from '../support/follow-lease.ts'
import { agentsScene, backUp, follow, found, hour, leaveLease } from './support/agents-scene.ts'

describe('agents on one repository', () => {
  it('notice by its schedules that another is gone, and that its backups come again', async () => {
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
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
    await using all = await agentsScene()
    const { repository, first, lines } = all
    for (const name of ['a', 'b']) await leaveLease(repository, name, 2 * hour)
    await repository.storage.put(leaseKey('a'), Buffer.from('{'))
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/b'])
    assert.ok(!lines.some((line) => /could not be looked at/.test(line)), lines.join('\n'))
  })

  it('have patience with one that may just be starting again', async () => {
    await using all = await agentsScene()
    const { repository, first, pass } = all
    await leaveLease(repository, 'theirs', 1_000)
    await first.look()
    assert.deepEqual(first.keys(), [])
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
  })
})
