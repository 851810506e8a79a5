import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { AgentLog } from '../../src/agent/agent-log.ts'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import { observeOperation } from '../../src/agent/notify/conditions/operation.ts'
import { Notifier } from '../../src/agent/notify/notifier.ts'
import { RepositoryWatch } from '../../src/agent/repository-watch.ts'
import { addDrill, type DrillRecord } from '../../src/repository/drill-record.ts'
import { Repository } from '../../src/repository/repository.ts'
import { updateLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { samplesOf } from './metrics/support/samples.ts'

/** Later than whatever is noted here. */
const tomorrow = () => Date.now() + 24 * 3_600_000

async function scene() {
  const folder = temporaryFolder()
  const repository = await Repository.init(new MemoryStorage())
  const notifier = await Notifier.open({ folder: folder.path, channels: [] })
  const lines: string[] = []
  const log = new AgentLog(
    { level: 'debug', format: 'text' },
    (line) => void lines.push(line),
    () => 0,
  )
  const metrics = new Metrics()
  const watch = new RepositoryWatch({
    repository,
    notifier,
    metrics,
    log,
    now: tomorrow,
  })
  return {
    repository,
    notifier,
    lines,
    watch,
    lastVerified: async () =>
      samplesOf((await metrics.render()).body).get('holdfast_last_verified_timestamp_seconds{database="mine"}'),
    keys: () => notifier.firing.map(({ key }) => key),
    async [Symbol.asyncDispose]() {
      await notifier[Symbol.asyncDispose]()
      await rm(folder.path, { recursive: true, force: true })
    },
  }
}

const signal = new AbortController().signal

describe('what an agent reads from the repository', () => {
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

  it('counts only what was found sound as verified, by a verification or a drill', async () => {
    await using all = await scene()
    const { repository, watch, lastVerified } = all
    const database = repository.database('mine')
    const day = (date: number) => `2026-01-0${date}T00:00:00.000Z`
    const found = (date: number, ok: boolean) => ({ checkedAt: day(date), ok, problem: ok ? '' : 'It is cut short.' })
    const note = async (segments: Record<string, ReturnType<typeof found>>, restores: typeof segments = {}) => {
      const existing = { segments: new Set(['a.hfs', 'b.hfs']), backups: new Set(['x']) }
      await updateLedger(database, { segments, restores }, existing)
      await watch.readVerifications('mine', signal)
      return await lastVerified()
    }
    assert.equal(await note({ 'a.hfs': found(1, false) }), undefined)
    assert.equal(await note({ 'b.hfs': found(2, true) }), Date.parse(day(2)) / 1000)
    assert.equal(await note({ 'a.hfs': found(3, false) }, { x: found(4, false) }), Date.parse(day(2)) / 1000)
    const drill = { lsn: 1, stateTime: null, backup: null, recoveryMs: 5, host: 'db2', reasons: [] }
    await addDrill(database, { ...drill, verdict: 'failed', drilledAt: day(5) }, new Set())
    assert.equal(await note({}), Date.parse(day(2)) / 1000)
    await addDrill(database, { ...drill, verdict: 'passed', drilledAt: day(6) }, new Set())
    assert.equal(await note({}), Date.parse(day(6)) / 1000)
    const byWrongClock = { checkedAt: new Date(tomorrow() + 3_600_000).toISOString(), ok: true, problem: '' }
    assert.equal(await note({ 'a.hfs': byWrongClock }), Date.parse(day(6)) / 1000)
    // That something was looked at counts whatever was found, for who asks when it is due again.
    const last = { verifiedAt: Date.parse(day(4)), drilledAt: Date.parse(day(6)) }
    assert.deepEqual(await watch.readVerifications('mine', signal), last)
  })

  it('tells of a drill that failed elsewhere, until one passes; one that could not be finished changes nothing', async () => {
    await using all = await scene()
    const { repository, watch, keys, notifier } = all
    let at = Date.parse('2026-01-01T00:00:00Z')
    const drilled = async (verdict: DrillRecord['verdict'], host = 'db2') => {
      at += 3_600_000
      const drill = { lsn: 1, stateTime: null, backup: null, recoveryMs: 5, host, verdict }
      const reasons = verdict === 'passed' ? [] : ['There are no users.']
      const drilledAt = new Date(at).toISOString()
      await addDrill(repository.database('mine'), { ...drill, reasons, drilledAt }, new Set(), { now: tomorrow() })
      await watch.readVerifications('mine', signal)
      return keys()
    }
    assert.deepEqual(await drilled('passed'), [])
    assert.deepEqual(await drilled('failed'), ['drill/mine'])
    assert.equal(notifier.firing[0]?.summary, 'The restore drill of mine failed: There are no users.')
    at = Date.now()
    assert.deepEqual(await drilled('inconclusive'), ['drill/mine'])
    assert.deepEqual(await drilled('passed'), [])
    assert.deepEqual(await drilled('inconclusive'), [])
  })

  it('does not take back that a later drill failed of which the repository knows nothing', async () => {
    await using all = await scene()
    const { repository, watch, keys, notifier } = all
    const when = { drilledAt: '2026-01-01T00:00:00.000Z', host: 'db1' }
    const what = { lsn: 1, stateTime: null, backup: null, recoveryMs: 5 }
    await addDrill(repository.database('mine'), { ...when, ...what, verdict: 'passed', reasons: [] }, new Set())
    const times = { startedAt: Date.now(), endedAt: Date.now() }
    const drill = { id: 'x', kind: 'drill', database: 'mine', repository: 'file:///r', trigger: 'schedule' } as const
    notifier.observe(observeOperation({ ...drill, ...times, outcome: 'failed', code: 'NAME_NOT_FOUND' }))
    await watch.readVerifications('mine', signal)
    assert.deepEqual(keys(), ['drill/mine'])
  })
})
