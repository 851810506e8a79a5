import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { agentRecordKey, leaseKey, markerKey } from '../../../src/repository/layout.ts'
import { agentsScene, backUp, found, hour, leaveLease } from './support/agents-scene.ts'

const unknown = (what: string) => `overdue/${encodeURIComponent(what)}/unknown`

describe('agents that cannot look at something', () => {
  it('tell of the others all the same, and of that one why, until it can be looked at', async () => {
    for (const code of ['FORMAT_TOO_NEW', 'INTERNAL', 'WRONG_KEY', 'STORAGE_DENIED'] as const) {
      await using all = await agentsScene()
      const { repository, unreadable, first, second, pass } = all
      second.databases.push(found('c'), found('e'))
      await second.look()
      for (const name of ['f', 'z']) await leaveLease(repository, name, 2 * hour)
      await leaveLease(repository, 'e', 2 * hour)
      for (const name of ['e', 'f']) unreadable.set(leaseKey(name), code)
      pass(72 * hour)
      await first.look()
      // Where not even a listing can be made, it is not known which others there are.
      const ofFollowers = code === 'STORAGE_DENIED' ? [unknown('databases/')] : [unknown('f'), 'overdue/z']
      assert.deepEqual(
        first.keys().toSorted(),
        ['overdue/c', 'overdue/theirs', unknown('e'), ...ofFollowers].sort(),
        code,
      )
      const why = first.notifier.firing.find(({ key }) => key === unknown('e'))
      assert.equal(why?.summary, `What is overdue of e cannot be told: It cannot be read: ${code}.`)
      assert.deepEqual([why?.severity, why?.database], ['warning', 'e'])
      unreadable.clear()
      pass(hour)
      await first.look()
      assert.deepEqual(
        first.keys().toSorted(),
        ['c', 'e', 'f', 'theirs', 'z'].map((name) => `overdue/${name}`),
      )
    }
  })

  it('tell of a record that is not to be read, until it is', async () => {
    await using all = await agentsScene()
    const { unreadable, first, second, pass } = all
    await second.look()
    const record = agentRecordKey(second.owner.id)
    unreadable.set(record, 'FORMAT_TOO_NEW')
    await first.look()
    assert.deepEqual(first.keys(), [unknown(record)])
    assert.equal(first.notifier.firing[0]?.database, undefined)
    unreadable.clear()
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
  })

  it('let go of the other databases that they dropped, and tell of the one', async () => {
    await using all = await agentsScene()
    const { unreadable, second, pass } = all
    second.databases.push(found('more'))
    await second.look()
    second.databases.splice(0)
    unreadable.set(leaseKey('theirs'), 'FORMAT_TOO_NEW')
    pass(hour)
    await second.look()
    assert.deepEqual(second.letGo, ['more'])
    assert.deepEqual(second.keys(), [unknown('theirs')])
    unreadable.clear()
    pass(hour)
    await second.look()
    assert.deepEqual(second.letGo, ['more', 'theirs'])
    assert.deepEqual(second.keys(), [])
  })

  it('are patient where the whole repository is away, and tell after three hours that they are blind', async () => {
    await using all = await agentsScene()
    const { repository, unreadable, first, second, pass, now } = all
    await backUp(repository, 'theirs', now())
    await second.look()
    await first.look()
    pass(71 * hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
    unreadable.set(agentRecordKey(second.owner.id), 'STORAGE_TRANSIENT')
    for (let times = 0; times < 3; times += 1) {
      pass(hour)
      await first.look()
      assert.deepEqual(first.keys(), ['overdue/theirs'])
    }
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs', unknown('agents/')])
    unreadable.clear()
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/theirs'])
  })

  it('call nothing over because the repository is gone, as where its disk is not mounted', async () => {
    await using all = await agentsScene()
    const { repository, first, second, pass, lines } = all
    await second.look()
    await leaveLease(repository, 'f', 2 * hour)
    pass(72 * hour)
    await first.look()
    assert.deepEqual(first.keys().toSorted(), ['overdue/f', 'overdue/theirs'])
    const { storage } = repository
    for await (const { key } of storage.list('')) await storage.delete(key)
    pass(hour)
    await first.look()
    assert.equal(await storage.head(markerKey), undefined)
    assert.deepEqual(first.keys().toSorted(), ['overdue/f', 'overdue/theirs'])
    assert.ok(lines.some((line) => /could not be looked at\. The repository at .* is gone/.test(line)))
  })
})
