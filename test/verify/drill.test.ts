/** Restore drills: what they try, what they say, and what they leave behind. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { readDrills } from '../../src/repository/drill-record.ts'
import { drillsKey } from '../../src/repository/layout.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger } from '../../src/repository/verification-ledger.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { assertTables } from '../../src/verify/drill/assertion.ts'
import { drillDatabase } from '../../src/verify/drill/drill-database.ts'
import type { DrillOptions, DrillReport } from '../../src/verify/drill/drill-options.ts'
import { backupChains, type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { flipped, readObjects, type StoredObjects, storeObjects } from '../scenarios/support/stored-objects.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let sound: StoredObjects = new Map()
let known: KnownBackup[] = []
let damaged: KnownBackup
const folder = temporaryFolder()

before(async () => {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  known = await backupChains(new SampleDatabase(folder.path, 'app'), repository)
  const broken = new SampleDatabase(folder.path, 'broken')
  const image = broken.image()
  image.fill(0xa5, 5 * 1024, 6 * 1024)
  writeFileSync(broken.path, image)
  damaged = await broken.backup(repository, { type: 'full', allowDamaged: true })
  sound = await readObjects(storage)
})
after(() => folder[Symbol.dispose]())

async function scene() {
  const storage = await storeObjects(sound)
  const repository = await Repository.open(storage)
  const scratch = temporaryFolder()
  const drill = (options: DrillOptions = {}, name = 'app') =>
    drillDatabase(repository, name, { scratchFolder: scratch.path, timeLimitMs: 30_000, ...options })
  return { storage, repository, scratch, drill, [Symbol.dispose]: () => scratch[Symbol.dispose]() }
}

const newest = () => known.at(-1)?.metadata ?? assert.fail()
const checksOf = ({ checks }: DrillReport) => checks.map(({ kind, outcome }) => `${kind} ${outcome}`)

describe('a drill', () => {
  it('proves the newest backup, measures its recovery, and leaves no file behind', async () => {
    using at = await scene()
    const phases = new Set<string>()
    const report = await at.drill({
      assertions: [
        { sql: 'SELECT count(*) = 300 FROM users' },
        { sql: 'SELECT name FROM users WHERE id = 7', expect: 'app 7' },
        {
          sql: 'SELECT id, name FROM users ORDER BY id LIMIT 2',
          expect: [
            [1, 'app 1'],
            [2, 'app 2'],
          ],
          name: 'first users',
        },
        ...assertTables({ users: 300, orders: 1 }),
      ],
      command:
        'test -f "$1" && test "$1" = "$HOLDFAST_RESTORED_FILE" && echo "$HOLDFAST_DATABASE $HOLDFAST_LSN $HOLDFAST_BACKUP"',
      maxRecoveryMs: 3_600_000,
      maxAgeMs: 3_600_000,
      onProgress: ({ phase }) => phases.add(phase),
    })
    assert.deepEqual([report.verdict, report.reasons, report.warnings], ['passed', [], []])
    assert.deepEqual(checksOf(report), [
      'restore passed',
      'integrity passed',
      'foreign-keys passed',
      'contents passed',
      ...Array.from({ length: 5 }, () => 'assertion passed'),
      'command passed',
      'recovery-time passed',
      'age passed',
    ])
    const command = report.checks.find(({ kind }) => kind === 'command')
    assert.equal(command?.detail, `app 5 ${newest().id}`)
    assert.deepEqual([report.state?.lsn, report.state?.backup?.id], [5, newest().id])
    assert.ok((report.recovery?.bytesFetched ?? 0) > 0 && (report.recovery?.phases.length ?? 0) >= 4)
    assert.deepEqual([...phases], ['plan', 'fetch', 'prove', 'commit', 'assert', 'command'])
    assert.deepEqual(readdirSync(at.scratch.path), [])
  })

  it('is kept beside the backup, and counts as its last trial restore', async () => {
    using at = await scene()
    const before = await readObjects(at.storage)
    await at.drill()
    await at.drill({ state: { by: 'backup', id: known[0]?.metadata.id ?? '' }, assertions: [{ sql: 'SELECT 0' }] })
    const database = at.repository.database('app')
    const drills = await readDrills(database)
    assert.deepEqual(
      drills.map(({ backup, verdict, lsn, reasons }) => [backup, verdict, lsn, reasons]),
      [
        [newest().id, 'passed', 5, []],
        [known[0]?.metadata.id, 'failed', 1, ['assertion "SELECT 0": It yields 0: false.']],
      ],
    )
    const { restores } = await readLedger(database)
    assert.deepEqual(
      [known[0], known.at(-1)].map((backup) => restores[backup?.metadata.id ?? '']?.ok),
      [true, true],
      'a state that disappoints an assertion can be restored all the same',
    )
    for (const [key, bytes] of before) assert.deepEqual((await readObjects(at.storage)).get(key), bytes, key)
  })

  it('fails with an assertion that is not true, and says which and why', async () => {
    using at = await scene()
    const failing = {
      'SELECT count(*) FROM nobody': 'no such table: nobody',
      'SELECT NULL': 'It yields NULL, which is not true.',
      "SELECT 'yes'": 'It yields "yes", which is not true. Say what it should be with "expect".',
      'SELECT 1 WHERE 0': 'It yields no row; an assertion yields one value.',
      'SELECT 1, 2': 'It yields 2 columns; an assertion yields one value.',
      'SELECT 1 FROM users': 'It yields several rows; an assertion yields one value.',
      'SELECT 1; SELECT 0': 'It holds more than one statement.',
      '-- nothing': 'It holds no statement.',
      'DELETE FROM users': 'It is no query: it yields nothing.',
      'DELETE FROM users RETURNING 1': 'attempt to write a readonly database',
    }
    const assertions = [...Object.keys(failing).map((sql) => ({ sql })), { sql: 'SELECT 1 -- and this is true;' }]
    const report = await at.drill({ assertions })
    assert.equal(report.verdict, 'failed')
    const found = report.checks.filter(({ kind }) => kind === 'assertion')
    assert.deepEqual(
      found.map(({ name, outcome, detail }) => [name, outcome, detail]),
      [
        ...Object.entries(failing).map(([sql, detail]) => [sql, 'failed', detail]),
        ['SELECT 1 -- and this is true;', 'passed', 'true'],
      ],
    )
    assert.equal(report.reasons.length, 10)
  })

  it('compares rows and values with what was expected, exactly', async () => {
    using at = await scene()
    const report = await at.drill({
      assertions: [
        { sql: 'SELECT 9223372036854775807', expect: 9223372036854775807n },
        { sql: 'SELECT 2.0', expect: 2 },
        { sql: 'SELECT NULL', expect: null },
        { sql: "SELECT x'0102ff'", expect: "x'0102ff'" },
        { sql: 'SELECT id FROM users WHERE id < 0', expect: [] },
        { sql: 'SELECT id FROM users WHERE id < 3', expect: [[1]] },
        { sql: 'SELECT id FROM users WHERE id = 1', expect: [[1], [2]] },
        { sql: 'SELECT 1, 2', expect: [[1, 3]] },
        { sql: "SELECT '1'", expect: 1 },
      ],
    })
    assert.deepEqual(
      report.checks.flatMap(({ kind, outcome, detail }) => (kind === 'assertion' ? [`${outcome}: ${detail}`] : [])),
      [
        ...Array.from({ length: 5 }, () => 'passed: true'),
        'failed: It yields more rows than 1.',
        'failed: It yields 1 rows, not 2.',
        'failed: Row 1 is 1, 2, not 1, 3.',
        'failed: It yields "1", not 1.',
      ],
    )
  })

  it('ends an assertion that takes too long, and goes on with the next', async () => {
    using at = await scene()
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const report = await at.drill({
      assertions: [{ sql: endless, name: 'endless' }, { sql: 'SELECT 1' }],
      timeLimitMs: 1500,
    })
    assert.deepEqual(
      [report.verdict, report.reasons],
      ['inconclusive', ['assertion "endless": It took longer than 1.5 s.']],
    )
    assert.deepEqual(checksOf(report).slice(-2), ['assertion inconclusive', 'assertion passed'])
  })

  it('asks the command, which may do with the file what it likes', async () => {
    using at = await scene()
    const commands = [
      ['echo "no such user" && exit 3', 'failed', 'The command ended with 3.\nno such user'],
      ['rm "$1"', 'passed', 'the command succeeded'],
      ['this-is-no-program-at-all', 'inconclusive', /^The command could not be run\./],
      [['/this/is/no/program'], 'inconclusive', /^The command could not be started/],
      [['test', '-f'], 'passed', 'the command succeeded'],
    ] as const
    for (const [command, verdict, detail] of commands) {
      const { verdict: found, checks } = await at.drill({ command })
      const said = checks.at(-1)?.detail ?? ''
      assert.equal(found, verdict, said)
      if (typeof detail === 'string') assert.equal(said, detail)
      else assert.match(said, detail)
    }
    const slow = await at.drill({ command: 'sleep 600', timeLimitMs: 300 })
    assert.deepEqual([slow.verdict, slow.reasons], ['inconclusive', ['The command ran longer than 300 ms.']])
  })

  it('fails when it took longer, or its state is older, than it may', async () => {
    using at = await scene()
    const late = { by: 'backup', id: known[0]?.metadata.id ?? '' } as const
    const { verdict, reasons } = await at.drill({ state: late, maxRecoveryMs: 0, maxAgeMs: 0 })
    assert.equal(verdict, 'failed')
    assert.match(reasons[0] ?? '', /^The recovery took .*; it may be 0 ms\.$/)
    assert.match(reasons[1] ?? '', /^The restored state is .* old; it may be 0 ms\.$/)
  })

  it('keeps the restored file when asked to, out of the way of the next drill', async () => {
    using at = await scene()
    const { keptFile } = await at.drill({ keep: true })
    await at.drill()
    assert.deepEqual(readFileSync(keptFile ?? ''), known.at(-1)?.image)
    assert.equal(readdirSync(at.scratch.path).length, 1)
  })
})

describe('a drill of what is broken', () => {
  it('fails, and names the damaged segment', async () => {
    using at = await scene()
    const segment = newest().segment ?? ''
    const bytes = sound.get(segment) ?? new Uint8Array()
    await at.storage.put(segment, flipped(bytes, Math.floor(bytes.length * 0.3)))
    const report = await at.drill({ assertions: [{ sql: 'SELECT 1' }] })
    assert.deepEqual([report.verdict, checksOf(report)], ['failed', ['restore failed']])
    assert.deepEqual(report.failure, { code: 'INTEGRITY', object: segment })
    assert.match(report.reasons[0] ?? '', new RegExp(segment))
    assert.equal(report.state?.backup?.id, newest().id)
    const database = at.repository.database('app')
    assert.deepEqual(
      (await readDrills(database)).map(({ backup, verdict }) => [backup, verdict]),
      [[newest().id, 'failed']],
    )
    assert.equal((await readLedger(database)).restores[newest().id]?.ok, false)
    assert.deepEqual(readdirSync(at.scratch.path), [])
  })

  it('fails when a segment is gone', async () => {
    using at = await scene()
    await at.storage.delete(newest().segment ?? '')
    const { verdict, failure } = await at.drill()
    assert.deepEqual([verdict, failure], ['failed', { code: 'INTEGRITY', object: newest().segment }])
  })

  it('fails for a database that was damaged when it was backed up, though its bytes come back', async () => {
    using at = await scene()
    const { verdict, checks, state } = await at.drill({}, 'broken')
    assert.equal(state?.backup?.id, damaged.metadata.id)
    assert.equal(verdict, 'failed')
    assert.deepEqual(
      checks.slice(0, 2).map(({ kind, outcome }) => [kind, outcome]),
      [
        ['restore', 'passed'],
        ['integrity', 'failed'],
      ],
    )
    assert.match(checks[1]?.detail ?? '', /^The database was damaged when it was captured: /)
  })
})

describe('a drill that cannot be finished', () => {
  it('is inconclusive without a place to restore to', async () => {
    using at = await scene()
    writeFileSync(at.scratch.file('no-folder'), '')
    const { verdict, reasons } = await at.drill({ scratchFolder: at.scratch.file('no-folder') })
    assert.equal(verdict, 'inconclusive')
    assert.match(reasons[0] ?? '', /^No scratch folder can be made in /)
    const drills = await readDrills(at.repository.database('app'))
    assert.deepEqual(
      drills.map(({ backup, verdict: kept, recoveryMs }) => [backup, kept, recoveryMs]),
      [[newest().id, 'inconclusive', null]],
    )
    assert.deepEqual((await readLedger(at.repository.database('app'))).restores, {})
  })

  it('is inconclusive, wherever the storage fails, and never a failure', async () => {
    const verdicts = new Map<string, number>()
    for (let failAt = 0; ; failAt++) {
      const storage = await storeObjects(sound)
      using scratch = temporaryFolder()
      await Repository.open(storage)
      const faulty = new FaultStorage(storage, { failAt })
      let verdict: string
      try {
        ;({ verdict } = await drillDatabase(await Repository.open(faulty), 'app', { scratchFolder: scratch.path }))
      } catch (error) {
        assert.ok(hasCode(error, 'STORAGE_TRANSIENT'), String(error))
        verdict = 'not opened'
      }
      assert.deepEqual(readdirSync(scratch.path), [])
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
      if (!faulty.tripped) break
    }
    assert.deepEqual([...verdicts.keys()].sort(), ['inconclusive', 'not opened', 'passed'])
    assert.ok((verdicts.get('inconclusive') ?? 0) > 5)
  })

  it('throws for what was never there, and leaves nothing', async () => {
    using at = await scene()
    const refused = (code: Parameters<typeof hasCode>[1]) => (error: unknown) => hasCode(error, code)
    await assert.rejects(at.drill({}, 'nobody'), refused('NAME_NOT_FOUND'))
    await assert.rejects(at.drill({ state: { by: 'backup', id: 'nothing' } }), refused('BACKUP_NOT_FOUND'))
    await assert.rejects(at.drill({ state: { by: 'lsn', lsn: 99 } }), refused('NOT_RESTORABLE'))
    await assert.rejects(at.drill({ state: { by: 'random', seed: 0.5 } }), refused('USAGE'))
    assert.deepEqual(readdirSync(at.scratch.path), [])
    assert.equal(await at.storage.head(drillsKey('app')), undefined)
  })

  it('stops when told to, in any phase, and leaves nothing', async () => {
    using at = await scene()
    for (const wanted of ['plan', 'fetch', 'prove', 'assert', 'command']) {
      const controller = new AbortController()
      const stopped = at.drill({
        assertions: [{ sql: 'SELECT 1' }],
        command: 'sleep 600',
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === wanted) controller.abort()
        },
      })
      await assert.rejects(stopped, (error) => hasCode(error, 'ABORTED'), wanted)
      assert.deepEqual(readdirSync(at.scratch.path), [], wanted)
    }
  })

  it('takes nothing for a leftover that is not its own', async () => {
    using at = await scene()
    for (const name of ['holdfast-scratch', 'holdfast-scratch-of-mine', 'holdfast-kept-1234'])
      mkdirSync(at.scratch.file(name))
    await at.drill()
    assert.equal(readdirSync(at.scratch.path).length, 3)
  })
})

describe('what is remembered of drills', () => {
  it('survives an inconclusive one, and goes with its backup', async () => {
    using at = await scene()
    const database = at.repository.database('app')
    await at.drill({ assertions: [{ sql: 'SELECT 0' }] })
    for (let i = 0; i < 3; i++) await at.drill({ command: 'this-is-no-program' })
    const kept = (await readDrills(database)).map(({ verdict }) => verdict)
    assert.deepEqual(kept, ['failed', 'inconclusive'])
    await database.deleteManifest(newest())
    await at.drill({ state: { by: 'backup', id: known[0]?.metadata.id ?? '' } })
    assert.deepEqual(
      (await readDrills(database)).map(({ backup }) => backup),
      [known[0]?.metadata.id],
    )
  })

  it('loses nothing when several end at once', async () => {
    using at = await scene()
    await Promise.all(known.map(({ metadata }) => at.drill({ state: { by: 'backup', id: metadata.id } })))
    const drills = await readDrills(at.repository.database('app'))
    assert.deepEqual(drills.map(({ backup }) => backup).sort(), known.map(({ metadata }) => metadata.id).sort())
  })

  it('is told to be missing where the repository is read-only', async () => {
    using at = await scene()
    const refusing = new Proxy(at.storage, {
      get: (target, name) =>
        name === 'put'
          ? async () => {
              throw Object.assign(new Error('read-only'), { code: 'EROFS' })
            }
          : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    })
    const report = await drillDatabase(await Repository.open(refusing), 'app', { scratchFolder: at.scratch.path })
    assert.equal(report.verdict, 'passed')
    assert.match(report.warnings[0] ?? '', /^The drill could not be written down in the repository\. /)
  })
})
