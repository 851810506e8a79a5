import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type BackupResult, hasCode } from '../../src/index.ts'
import type { BackupKnown } from '../../src/library/scheduled-backups.ts'
import { backupResult, fakeSchedules } from './fake-schedules.ts'

const minute = 60_000
const hour = 60 * minute

let result: BackupResult
before(async () => {
  result = await backupResult()
})

describe('schedules of a manager', () => {
  it('name snapshots that are due at one moment differently', async () => {
    const { made, clock, schedules } = fakeSchedules(result, '2026-06-01T23:30Z')
    await schedules.add('daily', ['app'], { type: 'snapshot' })
    await schedules.add('hourly', ['app'], { type: 'snapshot' })
    await clock.pass(hour)
    await schedules.close()
    assert.deepEqual(made.toSorted(), [
      '06-02T00:00 app snapshot-daily-2026-06-02T00-00-00Z',
      '06-02T00:00 app snapshot-hourly-2026-06-02T00-00-00Z',
    ])
  })

  it('wait by chance if they are to', async () => {
    const { made, clock, schedules } = fakeSchedules(result, '2026-06-01T23:30Z')
    clock.chance = 0.5
    await schedules.add('daily', ['app'], { jitter: '10m' })
    await clock.pass(hour)
    await schedules.close()
    assert.deepEqual(made, ['06-02T00:05 app full'])
  })
})

describe('a schedule that was stopped', () => {
  it('is a new one when it comes back', async () => {
    let newest: BackupKnown[] = []
    const { made, clock, schedules } = fakeSchedules(result, '2026-06-01T00:30Z', () => newest)
    const id = await schedules.add('hourly', ['app'], { catchUp: false })
    await clock.pass(2 * hour)
    assert.equal(made.splice(0).length, 2)
    await schedules.remove(id)
    await clock.pass(5 * hour)
    assert.equal(await schedules.add('hourly', ['app'], { catchUp: false }), id)
    await clock.pass(20 * minute)
    assert.deepEqual(made, [], 'nothing is caught up if that is not wanted')
    await schedules.remove(id)
    await clock.pass(5 * hour)
    newest = [{ type: 'full', capturedAt: new Date(clock.wall).toISOString(), damaged: false }]
    await schedules.add('hourly', ['app'], {})
    await clock.pass(5 * minute)
    assert.deepEqual(made, [], 'the newest backup is as new as can be')
    await clock.pass(hour)
    assert.deepEqual(made, ['06-01T13:00 app incremental'])
    await schedules.close()
  })

  it('is gone when the backup that it was making is made', async () => {
    const { made, clock, held, schedules } = fakeSchedules(result, '2026-06-01T00:30Z')
    const { promise, resolve } = Promise.withResolvers<void>()
    held.until = promise
    const id = await schedules.add('hourly', ['app'], {})
    await clock.pass(hour)
    assert.deepEqual(made, ['06-01T01:00 app full'])
    let isGone = false
    const removed = schedules.remove(id).then(() => {
      isGone = true
    })
    await clock.pass(hour)
    assert.equal(isGone, false)
    resolve()
    await removed
    await schedules.close()
    assert.equal(made.length, 1)
  })

  for (const [how, stop] of [
    ['by its id', async (schedules, id) => await schedules.remove(id)],
    ['with its manager', async (schedules) => await schedules.close()],
  ] as const satisfies readonly (readonly [
    string,
    (schedules: ReturnType<typeof fakeSchedules>['schedules'], id: string) => Promise<void>,
  ])[])
    it(`while it asks for the newest backup never begins: ${how}`, async () => {
      const asked = Promise.withResolvers<readonly BackupKnown[]>()
      const { made, clock, schedules } = fakeSchedules(result, '2026-06-01T00:30Z', () => asked.promise)
      const added = schedules.add('hourly', ['app'], { id: 'mine', keepAlive: true })
      await setImmediate()
      await stop(schedules, 'mine')
      asked.resolve([])
      assert.equal(await added, 'mine')
      await clock.pass(3 * hour)
      assert.deepEqual(made, [])
      assert.equal(clock.timers, 0)
      await schedules.close()
    })

  it('while that fails takes no other of its id with it', async () => {
    const asked = Promise.withResolvers<readonly BackupKnown[]>()
    const { clock, schedules } = fakeSchedules(result, '2026-06-01T00:30Z', () => asked.promise)
    const added = schedules.add('hourly', ['app'], { id: 'mine' })
    await setImmediate()
    await schedules.remove('mine')
    await schedules.add('daily', ['app'], { id: 'mine', catchUp: false })
    asked.reject(new Error('nobody answers'))
    await assert.rejects(added, /nobody answers/)
    assert.deepEqual(
      schedules.list().map(({ id }) => id),
      ['mine'],
    )
    await schedules.remove('mine')
    await assert.rejects(schedules.remove('mine'), (error) => hasCode(error, 'SCHEDULE_NOT_FOUND'))
    await clock.pass(24 * hour)
    await schedules.close()
  })
})
