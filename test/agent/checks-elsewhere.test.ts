import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChecksElsewhere } from '../../src/agent/checks-elsewhere.ts'
import type { RecordedOperation } from '../../src/agent/journal/recorded-operation.ts'
import { HoldfastError } from '../../src/errors.ts'

const hour = 3_600_000
const { signal } = new AbortController()

function scene(names: readonly string[] = ['a', 'b']) {
  const operations: RecordedOperation[] = []
  const queries: string[] = []
  const asked: string[] = []
  const warnings: string[] = []
  let now = Date.parse('2026-03-01T00:00:00Z')
  const place: { isAway: boolean; damaged?: string } = { isAway: false }
  const checks = new ChecksElsewhere({
    journal: {
      operations: async ({ kind, trigger, since = 0 } = {}) => {
        queries.push(`${kind} ${trigger}`)
        return operations.filter((each) => {
          return each.kind === kind && each.trigger === trigger && each.startedAt >= since
        })
      },
    },
    repository: { url: 'file:///r' },
    repositoryWatch: {
      read: async (name) => {
        asked.push(name)
        if (place.isAway) throw new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.')
        if (place.damaged === name) throw new HoldfastError('FORMAT_TOO_NEW', 'It is of a later version.')
      },
    },
    databases: () => names,
    log: { warn: (message) => void warnings.push(message) },
    now: () => now,
  })
  const add = (part: Partial<RecordedOperation>): number =>
    operations.push({
      id: String(operations.length),
      kind: 'drill',
      database: 'a',
      repository: 'file:///r',
      trigger: 'manual',
      startedAt: now,
      endedAt: now,
      outcome: 'failed',
      code: undefined,
      message: undefined,
      backupId: undefined,
      figures: undefined,
      rebuilt: false,
      ...part,
    } as RecordedOperation)
  const look = async (): Promise<string[]> => {
    await checks.look(signal)
    return asked.splice(0)
  }
  const pass = (milliseconds: number): void => {
    now += milliseconds
  }
  return { operations, queries, add, look, pass, place, warnings }
}

describe('verifications and drills that others made', () => {
  it('are looked at once when they have ended, on this machine', async () => {
    const { operations, add, look, pass } = scene()
    add({})
    assert.deepEqual(await look(), [], 'the first look at each database reads it all')
    add({ database: 'b', endedAt: undefined, outcome: 'running' })
    add({ kind: 'backup' })
    add({ trigger: 'schedule' })
    pass(hour)
    assert.deepEqual(await look(), [])
    operations[1] = { ...(operations[1] ?? assert.fail()), endedAt: 5, outcome: 'inconclusive' }
    assert.deepEqual(await look(), ['b'])
    assert.deepEqual(await look(), [])
    add({ kind: 'verify', database: undefined, trigger: 'library' })
    add({ database: 'elsewhere' })
    assert.deepEqual(await look(), ['a', 'b'])
    assert.deepEqual(await look(), [])
  })

  it('are all that is read of the journal, which may be long', async () => {
    const { queries, look } = scene()
    await look()
    assert.deepEqual(queries, ['verify manual', 'verify library', 'drill manual', 'drill library'])
  })

  it('are asked for four times a day, on other machines; a repository that is away is asked once', async () => {
    const { look, pass, place, warnings } = scene()
    assert.deepEqual(await look(), [])
    pass(6 * hour)
    assert.deepEqual(await look(), ['a', 'b'])
    assert.deepEqual(await look(), [])
    place.isAway = true
    pass(6 * hour)
    assert.deepEqual(await look(), ['a'])
    pass(hour / 60)
    assert.deepEqual(await look(), [])
    pass(hour / 10)
    assert.deepEqual(await look(), ['b'], 'it may be one of them alone')
    assert.equal(warnings.length, 1, 'once is enough')
    place.isAway = false
    pass(hour / 10)
    assert.deepEqual(await look(), ['a', 'b'])
    assert.deepEqual(await look(), [])
  })

  it('are looked at when the repository is back, if it was away when they ended', async () => {
    const { add, look, pass, place, warnings } = scene()
    assert.deepEqual(await look(), [])
    place.isAway = true
    add({ database: 'b' })
    assert.deepEqual(await look(), ['b'])
    assert.equal(warnings.length, 1)
    place.isAway = false
    pass(hour / 10)
    assert.deepEqual(await look(), ['b'])
    assert.deepEqual(await look(), [])
  })

  it('are asked for in part with each look, where there are many databases; those of this machine first', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `db${index}`)
    const { add, look, pass } = scene(names)
    assert.deepEqual(await look(), [])
    pass(6 * hour)
    assert.deepEqual(await look(), names.slice(0, 20))
    add({ database: 'db45' })
    assert.deepEqual(await look(), ['db45', ...names.slice(20, 39)])
    assert.deepEqual(await look(), [...names.slice(39, 45), ...names.slice(46)])
    assert.deepEqual(await look(), [])
  })

  it('of which one database cannot be read keep no other from being looked at', async () => {
    const { look, pass, place, warnings } = scene()
    assert.deepEqual(await look(), [])
    place.damaged = 'a'
    pass(6 * hour)
    assert.deepEqual(await look(), ['a', 'b'])
    assert.deepEqual(await look(), [])
    assert.equal(warnings.length, 1)
  })
})
