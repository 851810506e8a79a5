/** Which state a drill tries: between backups, of any age, by chance. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readDrills } from '../../src/repository/drill-record.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { drillDatabase } from '../../src/verify/drill/drill-database.ts'
import { randomState } from '../../src/verify/drill/random-state.ts'
import { testSeed } from '../support/random.ts'
import { SqliteLogHistory } from '../support/sqlite-log-history.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const schema =
  'CREATE TABLE users (id INTEGER PRIMARY KEY, team REFERENCES teams (id)); CREATE TABLE teams (id INTEGER PRIMARY KEY)'
const insert = 'INSERT INTO users (team) VALUES (NULL)'
const seed = testSeed()

async function followed() {
  const folder = temporaryFolder()
  const repository = await Repository.init(new MemoryStorage())
  const history = await SqliteLogHistory.create(repository, folder.file('app.db'), schema)
  return { folder, repository, history, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

describe('a drill of a state between backups', () => {
  it('has nothing to compare it with, and says so', async () => {
    using at = await followed()
    const [first] = await at.history.commit(insert, insert, insert)
    const report = await drillDatabase(at.repository, 'app', {
      state: { by: 'lsn', lsn: first?.lsn ?? 0 },
      assertions: [{ sql: 'SELECT count(*) FROM users', expect: 1 }],
      scratchFolder: at.folder.path,
    })
    assert.deepEqual([report.verdict, report.reasons], ['passed', []])
    assert.deepEqual(
      report.checks.map(({ kind, outcome }) => [kind, outcome]),
      [
        ['restore', 'passed'],
        ['integrity', 'passed'],
        ['foreign-keys', 'passed'],
        ['contents', 'skipped'],
        ['assertion', 'passed'],
      ],
    )
    assert.deepEqual([report.state?.backup, report.recovery?.commitsReplayed], [undefined, 1])
    const drills = await readDrills(at.repository.database('app'))
    assert.deepEqual(
      drills.map(({ lsn, backup }) => [lsn, backup]),
      [[first?.lsn, null]],
    )
  })

  it('does not call rows a failure that break foreign keys, as nobody knows how many did', async () => {
    using at = await followed()
    await at.history.commit('PRAGMA foreign_keys = OFF; INSERT INTO users (team) VALUES (7)')
    const { verdict, checks } = await drillDatabase(at.repository, 'app', { scratchFolder: at.folder.path })
    assert.equal(verdict, 'passed')
    assert.deepEqual(checks[2], {
      kind: 'foreign-keys',
      outcome: 'skipped',
      detail: '1 row without the row that a foreign key refers to; how many there were is not known',
    })
  })
})

describe('a drill of any state', () => {
  it('says its seed, which chooses the same state again', async () => {
    using at = await followed()
    await at.history.commit(insert, insert, insert, insert)
    const scratchFolder = at.folder.path
    const {
      seed: drawn,
      state,
      verdict,
    } = await drillDatabase(at.repository, 'app', { state: { by: 'random' }, scratchFolder })
    assert.equal(verdict, 'passed')
    const again = await drillDatabase(at.repository, 'app', { state: { by: 'random', seed: drawn }, scratchFolder })
    assert.deepEqual([again.seed, again.state?.lsn], [drawn, state?.lsn])
  })

  it(`comes to every backup and every commit (HOLDFAST_SEED=${seed})`, async () => {
    using at = await followed()
    await at.history.commit(insert, insert, insert)
    await at.history.snapshot('pinned')
    await at.history.commit(insert, insert)
    const catalog = await at.repository.database('app').catalog()
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (draw) => {
        const state = randomState(catalog, draw)
        assert.deepEqual(randomState(catalog, draw), state)
        assert.ok(state.by === 'backup' || state.by === 'lsn')
        seen.add(state.by === 'backup' ? state.id : `LSN ${state.lsn}`)
      }),
      { seed, numRuns: 1000 },
    )
    const commits = [1, 2, 3, 4, 5, 6, 7].map((lsn) => `LSN ${lsn}`)
    const backups = catalog.backups.map(({ id }) => id)
    const expected = new Set([...backups, ...commits])
    assert.deepEqual(
      [...seen].filter((state) => !expected.has(state)),
      [],
    )
    assert.ok(backups.every((id) => seen.has(id)) && seen.size >= backups.length + 5, [...seen].join(', '))
  })
})
