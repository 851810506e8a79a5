import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeptState, Rig, schedule } from './support/rig.ts'

const minute = 60_000
const specs = [schedule('nightly', { every: 'daily', at: '03:00' }), schedule('other', { every: 'yearly' })]

/** A run by hand waits for another one until it stands for one that came due meanwhile; then it runs. */
async function absorbed(store: KeptState): Promise<Rig> {
  const rig = new Rig('2026-06-01T02:00Z', { store })
  rig.scheduler.set('app', specs)
  rig.holds = true
  rig.scheduler.runNow('app', 'other').catch(() => {})
  await rig.clock.until('2026-06-01T02:59Z')
  rig.scheduler.runNow('app', 'nightly').catch(() => {})
  await rig.clock.until('2026-06-01T03:05Z')
  await rig.end()
  await rig.clock.pass(minute)
  assert.deepEqual(rig.running, ['app/nightly'])
  return rig
}

describe('a run by hand that stands for one that was due', () => {
  it('is caught up if its process is killed', async () => {
    const store = new KeptState()
    const killed = await absorbed(store)
    assert.equal(killed.scheduler.list()[0]?.lastDue, Date.parse('2026-06-01T03:00Z'))
    const next = new Rig('2026-06-01T03:10Z', { store, state: structuredClone(store.kept) })
    next.scheduler.set('app', specs)
    await next.clock.until('2026-06-02T04:00Z')
    assert.deepEqual(next.take(), ['app/nightly catch-up 2026-06-01T03:10:00', 'app/nightly 2026-06-02T03:00:00'])
    await next.scheduler.stop()
    await killed.end()
    await killed.scheduler.stop()
  })

  it('is done with when it ends, also by failing', async () => {
    for (const error of [undefined, new Error('no disk')]) {
      const rig = await absorbed(new KeptState())
      await rig.end(error)
      rig.take()
      await rig.clock.until('2026-06-02T02:59Z')
      assert.deepEqual(rig.take(), [])
      assert.equal(rig.scheduler.list()[0]?.outcome, error === undefined ? 'succeeded' : 'failed')
      await rig.scheduler.stop()
    }
  })
})
