import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentDatabase } from '../../src/agent/agent-databases.ts'
import { FirstLook } from '../../src/agent/first-look.ts'
import { parseScheduleSpec } from '../../src/agent/schedule/parse-schedule.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { databaseConfig } from './support/database-config.ts'

const nightly = parseScheduleSpec({ id: 'nightly', type: 'full', every: 'daily' })
const drill = parseScheduleSpec({ id: 'drill', type: 'drill', every: '2m' })

async function scene(newest: Readonly<Record<string, number>> = {}) {
  const repository = await Repository.init(new MemoryStorage())
  const looked = new Map<string, AgentDatabase>()
  const set: [name: string, since: readonly (number | undefined)[]][] = []
  const remembered = new Set<string>()
  const runs: string[] = []
  const reasons = new Set<string | undefined>()
  const warnings: string[] = []
  const place = { isAway: false, asked: 0 }
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
        return { database: name, newestBackupAt: newest[name] }
      },
    },
    repositoryWatch: { readVerifications: async () => {} },
    log: { warn: (message) => void warnings.push(message) },
  })
  const add = (name: string): void => {
    const path = `/srv/${name}.db`
    const config = databaseConfig({ source: { kind: 'path', path, name }, schedules: [nightly, drill] })
    looked.set(name, { name, path, config, followed: undefined })
    look.add(name)
  }
  return { look, add, looked, set, remembered, runs, reasons, warnings, place, signal: new AbortController().signal }
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

  it('leaves out one that is not looked after any more', async () => {
    const { look, add, looked, set, runs, signal } = await scene()
    add('gone')
    looked.clear()
    await look.look(signal)
    assert.deepEqual([set, runs], [[], []])
  })
})
