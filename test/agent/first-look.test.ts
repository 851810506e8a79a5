import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentDatabase } from '../../src/agent/agent-databases.ts'
import { FirstLook } from '../../src/agent/first-look.ts'
import type { LastChecks } from '../../src/agent/repository-watch.ts'
import { parseScheduleSpec } from '../../src/agent/schedule/parse-schedule.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { databaseConfig } from './support/database-config.ts'

const nightly = parseScheduleSpec({ id: 'nightly', type: 'full', every: 'daily' })
const verify = parseScheduleSpec({ id: 'verify', type: 'verify', every: 'weekly' })
const drill = parseScheduleSpec({ id: 'drill', type: 'drill', every: '2m' })

async function scene(newest: Readonly<Record<string, number>> = {}, checks: Readonly<Record<string, LastChecks>> = {}) {
  const repository = await Repository.init(new MemoryStorage())
  const looked = new Map<string, AgentDatabase>()
  const set: [name: string, since: readonly (number | undefined)[]][] = []
  const remembered = new Set<string>()
  const runs: string[] = []
  const reasons = new Set<string | undefined>()
  const warnings: string[] = []
  const place = { isAway: false, unreadable: '', asked: 0 }
  const look = new FirstLook({
    repository,
    find: (name) => looked.get(name),
    scheduler: {
      set: (name, specs, { since } = {}) => void set.push([name, specs.map((spec) => since?.(spec))]),
      remembers: (name) => remembered.has(name),
      runNow: async (name, _id, reason) => {
        runs.push(name)
        reasons.add(reason)
        return { outcome: 'succeeded' }
      },
    },
    freshness: {
      read: async ({ name }) => {
        place.asked += 1
        if (place.isAway) throw new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.')
        if (place.unreadable === name) throw new HoldfastError('FORMAT_TOO_NEW', 'It is too new.')
        return { database: name, newestBackupAt: newest[name] }
      },
    },
    repositoryWatch: { readVerifications: async (name) => checks[name] },
    log: { warn: (message) => void warnings.push(message) },
  })
  const add = (name: string, schedules = [nightly, drill]): void => {
    const path = `/srv/${name}.db`
    const config = databaseConfig({ source: { kind: 'path', path, name }, schedules })
    looked.set(name, { name, path, config, followed: undefined })
    look.add(name)
  }
  return {
    look,
    add,
    looked,
    repository,
    set,
    remembered,
    runs,
    reasons,
    warnings,
    place,
    signal: new AbortController().signal,
  }
}

describe('the first look at a database', () => {
  it('gives one without a backup its first at once, and counts the backups of another from its newest, but nothing else', async () => {
    const { look, add, set, runs, reasons, signal } = await scene({ old: 5 })
    add('new')
    add('old')
    await Promise.all([look.look(signal), look.look(signal)])
    await look.look(signal)
    assert.deepEqual(runs, ['new'])
    assert.deepEqual([...reasons], ['schedule'], 'nobody asked for it, so its failure is told')
    assert.deepEqual(set, [
      ['new', [undefined, undefined]],
      ['old', [5, undefined]],
    ])
  })

  it('has one backed up at once whose name only its path gives, and is that of another, so that this is told', async () => {
    const { look, add, looked, runs, repository, signal } = await scene({ own: 5, others: 5, named: 5 })
    const createdAt = new Date(0).toISOString()
    const locations = { own: '/srv/own.db', others: '/elsewhere/others.db', named: '/elsewhere/named.db' }
    for (const [name, location] of Object.entries(locations)) {
      await repository.database(name).putRecord({ name, kind: 'sqlite', location, createdAt })
      add(name)
      const database = looked.get(name) ?? assert.fail()
      const { path, config } = database
      const source = { kind: 'path', path, name: name === 'named' ? name : undefined } as const
      looked.set(name, { ...database, config: { ...config, source } })
    }
    await look.look(signal)
    assert.deepEqual(runs, ['others'])
  })

  it('counts verifications and drills from the last ones or, if there was none, from when the repository got to know it', async () => {
    const never = { verifiedAt: undefined, drilledAt: undefined }
    const done = { verifiedAt: 7, drilledAt: 6 }
    const newest = { checked: 5, never: 5, unread: 5, remembered: 5 }
    const checks = { checked: done, never, new: never, remembered: done }
    const { repository, look, add, set, remembered, signal } = await scene(newest, checks)
    const createdAt = '1970-01-01T00:00:00.002Z'
    for (const name of Object.keys(newest))
      await repository.database(name).putRecord({ name, kind: 'sqlite', location: `/srv/${name}.db`, createdAt })
    remembered.add('remembered')
    for (const name of [...Object.keys(newest), 'new']) add(name, [nightly, verify, drill])
    await look.look(signal)
    const since = Object.fromEntries(set)
    assert.deepEqual(since, {
      checked: [5, 7, 6],
      never: [5, 2, 2],
      unread: [5, undefined, undefined],
      remembered: [undefined, undefined, undefined],
      new: [undefined, undefined, undefined],
    })
  })

  it('lets what is new among remembered schedules count from now', async () => {
    const { look, add, set, remembered, signal } = await scene({ old: 5 })
    remembered.add('old')
    add('old')
    await look.look(signal)
    assert.deepEqual(set, [['old', [undefined, undefined]]])
  })

  it('is taken when the repository is back, if it was away: nothing is forgotten, and it is asked once, not for each', async () => {
    const { look, add, set, runs, warnings, place, signal } = await scene()
    const names = Array.from({ length: 100 }, (_, index) => `d${index}`)
    for (const name of names) add(name)
    place.isAway = true
    await look.look(signal)
    assert.ok(place.asked <= 8)
    assert.ok(warnings.length <= 8)
    assert.deepEqual(runs, [])
    assert.equal(set.length, 100, 'the schedules count all the same')
    place.isAway = false
    await look.look(signal)
    assert.deepEqual(runs, names)
  })

  it('is taken at the others where one cannot be read for a reason of its own, which is told once', async () => {
    const { look, add, set, runs, warnings, place, signal } = await scene()
    place.unreadable = 'd0'
    const names = Array.from({ length: 20 }, (_, index) => `d${index}`)
    for (const name of names) add(name)
    for (let round = 0; round < 3; round += 1) await look.look(signal)
    assert.deepEqual(runs.sort(), names.slice(1).sort())
    assert.equal(warnings.length, 1)
    assert.ok(
      set.some(([name]) => name === 'd0'),
      'its schedules count all the same',
    )
    place.unreadable = ''
    await look.look(signal)
    assert.ok(runs.includes('d0'))
  })

  it('leaves out one that is not looked after any more', async () => {
    const { look, add, looked, set, runs, signal } = await scene()
    add('gone')
    looked.clear()
    await look.look(signal)
    assert.deepEqual([set, runs], [[], []])
  })
})
