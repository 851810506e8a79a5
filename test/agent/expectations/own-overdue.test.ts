import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAgentRecords } from '../../../src/repository/agent-record.ts'
import { updateLedger } from '../../../src/repository/verification-ledger.ts'
import { agentsScene, backUp, found, hour } from './support/agents-scene.ts'

const day = 24 * hour
const verify = { type: 'verify', every: '1d' } as const
const drill = { type: 'drill', every: '7d' } as const

/** Two weeks in which it is backed up, and neither verified nor drilled. */
async function leaveUnchecked({ repository, first, pass, now }: Awaited<ReturnType<typeof agentsScene>>) {
  first.databases.splice(0, 1, found('mine', verify, drill))
  await first.look()
  pass(14 * day)
  await backUp(repository, 'mine', now())
}

describe('an agent', () => {
  it('notices that its own verifications and drills are not made, as where a hook always skips them', async () => {
    await using all = await agentsScene()
    const { repository, first, pass, now } = all
    first.databases.splice(0, 1, found('mine', verify, drill))
    await first.look()
    pass(2 * day)
    await backUp(repository, 'mine', now())
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/verify'])
    const [alert = assert.fail()] = first.notifier.firing
    assert.match(alert.summary, /^Nothing of mine was verified for 2 d/)
    assert.match(alert.hint ?? '', /whether a hook skips it/)
    pass(14 * day)
    await first.look()
    assert.deepEqual(first.keys().toSorted(), ['overdue/mine/drill', 'overdue/mine/verify'], 'nothing of its backups')
    const at = new Date(now()).toISOString()
    const checked = { checkedAt: at, ok: true, problem: '' }
    const existing = { segments: new Set(['s']), backups: new Set<string>() }
    const database = repository.database('mine')
    await updateLedger(database, { segments: { s: checked }, restores: {}, waiting: {} }, existing, { now: now() })
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/drill'])
    first.databases.splice(0, 1, found('mine', verify))
    first.changed()
    await first.look()
    assert.deepEqual(first.keys(), [], 'no drill is expected any more')
  })

  it('counts what it made itself, however that ended: of what failed is told for itself', async () => {
    await using all = await agentsScene()
    const { first, pass, now } = all
    await leaveUnchecked(all)
    first.made.set('verify mine', now() - hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/drill'])
    first.made.set('drill mine', now())
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
    pass(2 * day)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/verify'])
  })

  it('tells nothing of what it is about to catch up, but that one of them was skipped; and ends nothing before it is done', async () => {
    await using all = await agentsScene()
    const { first, pass, now } = all
    await leaveUnchecked(all)
    first.underWay.add('verify mine').add('drill mine')
    await first.look()
    assert.deepEqual(first.keys(), [])
    first.underWay.clear()
    first.made.set('drill mine', now())
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/verify'])
    first.underWay.add('verify mine')
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), ['overdue/mine/verify'], 'it may be skipped again')
    first.made.set('verify mine', now())
    pass(hour)
    await first.look()
    assert.deepEqual(first.keys(), [])
  })

  it('expects to see nothing of a verification that leaves nothing in the repository', async () => {
    await using all = await agentsScene()
    const { repository, first, second, pass, now } = all
    const mine = found('mine', verify)
    first.databases.splice(0, 1, {
      ...mine,
      config: { ...mine.config, verify: { ...mine.config.verify, level: 'metadata' } },
    })
    await first.look()
    pass(9 * day)
    await backUp(repository, 'mine', now())
    await first.look()
    await second.look()
    assert.deepEqual([first.keys(), second.keys()], [[], []])
    const { records } = await readAgentRecords(repository.storage)
    const plans = records.find(({ id }) => id === first.owner.id)?.plans ?? []
    assert.deepEqual(
      plans.flatMap(({ schedules }) => schedules.map(({ action }) => action)),
      ['full'],
    )
  })
})
