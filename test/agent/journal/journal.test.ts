import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkChain } from '../../../src/agent/journal/audit/check-chain.ts'
import type { Journal } from '../../../src/agent/journal/journal.ts'
import { defaultJournalPath } from '../../../src/agent/journal/journal-path.ts'
import { hasCode } from '../../../src/errors.ts'
import { journalPlace, start } from './support/journals.ts'

const program = join(import.meta.dirname, 'support/record-many.ts')
const minute = 60_000
const day = 24 * 60 * minute
const year = 365 * day

/** Runs another process that records. */
async function recordElsewhere(path: string, ...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [program, path, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'close')
  return code
}

describe('the journal', () => {
  it('keeps what an operation was, when, and how it ended', async () => {
    using place = journalPlace()
    const journal = place.open()
    const operation = await journal.begin({ ...start, type: 'full', trigger: 'schedule', schedule: 'nightly' })
    place.clock.time += 5 * minute
    await operation.end({
      outcome: 'failed',
      code: 'DISK_FULL',
      message: 'No space.',
      warnings: ['The hook after it failed.'],
      backupId: 'abc',
      figures: { pages: 7 },
    })
    assert.deepEqual(await place.open().operations(), [
      {
        ...start,
        id: operation.id,
        type: 'full',
        trigger: 'schedule',
        schedule: 'nightly',
        startedAt: place.clock.time - 5 * minute,
        endedAt: place.clock.time,
        outcome: 'failed',
        code: 'DISK_FULL',
        message: 'No space.',
        warnings: ['The hook after it failed.'],
        backupId: 'abc',
        figures: { pages: 7 },
        rebuilt: false,
      },
    ])
    assert.deepEqual(place.warnings, [])
  })

  it('takes the name and type that turned out to be the right ones', async () => {
    using place = journalPlace()
    const journal = place.open()
    await (await journal.begin(start)).end({ outcome: 'succeeded', database: 'shop', type: 'incremental' })
    const [operation] = await journal.operations()
    assert.deepEqual([operation?.database, operation?.type], ['shop', 'incremental'])
  })

  it('finds operations by repository, database, kind, outcome and time; the newest ones, oldest first', async () => {
    using place = journalPlace()
    const journal = place.open()
    const kinds = ['backup', 'verify', 'restore'] as const
    for (let i = 0; i < 12; i += 1) {
      const kind = kinds[i % 3] ?? 'backup'
      const operation = await journal.begin({ ...start, kind, database: `db${i % 2}`, repository: `r${i % 4}` })
      await operation.end({ outcome: i < 6 ? 'failed' : 'succeeded', figures: { i } })
      place.clock.time += minute
    }
    const numbers = async (query: Parameters<typeof journal.operations>[0]) =>
      (await journal.operations(query)).map(({ figures }) => figures?.['i'])
    const begin = place.clock.time - 12 * minute
    assert.deepEqual(await numbers({ repository: 'r1' }), [1, 5, 9])
    assert.deepEqual(await numbers({ database: 'db1', kind: 'restore' }), [5, 11])
    assert.deepEqual(await numbers({ outcome: 'failed', kind: 'backup' }), [0, 3])
    assert.deepEqual(await numbers({ since: begin + 9 * minute }), [9, 10, 11])
    assert.deepEqual(await numbers({ until: begin + minute }), [0, 1])
    assert.deepEqual(await numbers({ limit: 2 }), [10, 11])
    assert.deepEqual(await numbers({ outcome: 'failed', limit: 2 }), [4, 5])
  })

  it('is made at the first operation, for its user alone; reading makes nothing', async () => {
    using place = journalPlace()
    const journal = place.open()
    assert.deepEqual(await journal.operations(), [])
    assert.equal(await journal.audit((entries) => [...entries].length), undefined)
    assert.equal(existsSync(dirname(place.path)), false)
    await journal.begin(start)
    assert.deepEqual([statSync(place.path).mode & 0o777, statSync(dirname(place.path)).mode & 0o777], [0o600, 0o700])
    assert.equal(defaultJournalPath({ XDG_STATE_HOME: '/state' }, 'linux'), '/state/holdfast/journal.db')
  })

  it('holds nothing open between two accesses', async () => {
    using place = journalPlace()
    const journal = place.open()
    const operation = await journal.begin(start)
    // No -wal is left: whoever was the last to leave has put all of it into the file.
    assert.deepEqual(readdirSync(dirname(place.path)), ['journal.db'])
    await operation.end({ outcome: 'succeeded' })
  })

  it('leaves out what it does not know, with a warning', async () => {
    using place = journalPlace()
    for (let i = 0; i < 4; i += 1) {
      await (await place.open().begin(start)).end({ outcome: 'succeeded', figures: { i } })
      place.clock.time += 1
    }
    const [id = '', next = ''] = (await place.open().operations()).map((operation) => operation.id)
    place.tamper(`UPDATE operations SET kind = 'teleport' WHERE id = '${id}'`)
    place.tamper(`UPDATE operations SET figures = '{' WHERE id = '${next}'`)
    const journal = place.open()
    const shown = async () => (await journal.operations({ limit: 3 })).map(({ figures }) => figures?.['i'])
    assert.deepEqual(
      [await shown(), await shown()],
      [
        [2, 3],
        [2, 3],
      ],
    )
    assert.equal(place.warnings.length, 1)
    assert.match(place.warnings[0] ?? '', /^2 operations are left out of the history: .* newer/)
  })
})

describe('old operations', () => {
  /** Records an operation every 20 days for so long. */
  async function recordFor(place: ReturnType<typeof journalPlace>, milliseconds: number, journal?: Journal) {
    for (const end = place.clock.time + milliseconds; place.clock.time < end; place.clock.time += 20 * day)
      await (await (journal ?? place.open()).begin(start)).end({ outcome: 'succeeded' })
  }
  const startsOf = async (place: ReturnType<typeof journalPlace>) =>
    (await place.open().operations()).map(({ startedAt }) => startedAt)

  for (const [whose, isOne] of [
    ['processes that come and go', false],
    ['one process that stays', true],
  ] as const) {
    it(`are forgotten after two years by ${whose}; the audit log is kept whole`, async () => {
      using place = journalPlace()
      await recordFor(place, 3 * year, isOne ? place.open() : undefined)
      const starts = await startsOf(place)
      const age = place.clock.time - (starts[0] ?? 0)
      assert.ok(age >= 2 * year && age < 2 * year + 40 * day, `${age / day} days`)
      assert.equal(await place.open().audit((entries) => [...entries].length), 2 * Math.ceil((3 * year) / (20 * day)))
    })
  }

  it('are all kept when a machine was off for years, and when its clock is wrong, however long', async () => {
    using place = journalPlace()
    await recordFor(place, 1.5 * year)
    const before = await startsOf(place)
    const { time } = place.clock
    for (const wrong of ['2099-01-01', '2099-02-01', '1970-01-01', '2031-06-01', '2099-02-02']) {
      place.clock.time = Date.parse(wrong)
      await recordFor(place, 60 * day, wrong === '2099-01-01' ? place.open() : undefined)
    }
    place.clock.time = time
    await recordFor(place, 20 * day)
    const starts = new Set(await startsOf(place))
    assert.deepEqual(
      before.filter((each) => !starts.has(each)),
      [],
    )
  })
})

describe('a journal that another process holds', () => {
  /** As a process does that was stopped in the middle of a write. */
  function hold(path: string): Disposable {
    const database = new DatabaseSync(path)
    database.exec('BEGIN IMMEDIATE')
    return { [Symbol.dispose]: () => database.close() }
  }

  it('keeps nothing else of this process waiting; what is to be recorded waits for it, in order', async () => {
    using place = journalPlace()
    const journal = place.open()
    await (await journal.begin(start)).end({ outcome: 'succeeded' })
    const handles = []
    {
      using _holder = hold(place.path)
      for (let i = 0; i < 5; i += 1) {
        const operation = journal.beginNow(start)
        handles.push(operation, operation.end({ outcome: 'succeeded', figures: { i } }))
        // Only where others get their turn is it ever let go.
        await sleep(20)
      }
      assert.equal((await journal.operations()).length, 1)
    }
    await journal.written()
    assert.deepEqual([place.warnings, journal.trouble], [[], undefined])
    const figures = (await journal.operations()).map((operation) => operation.figures?.['i'])
    assert.deepEqual(figures, [undefined, 0, 1, 2, 3, 4])
    const checked = await journal.audit((entries, head) => head && checkChain(entries, head))
    assert.deepEqual(checked, { entries: 12, finding: undefined })
    const events = await journal.audit((entries) => [...entries].map(({ text }) => JSON.parse(text).event))
    assert.deepEqual(events, Array.from({ length: 6 }, () => ['begin', 'end']).flat())
  })

  it('for too long is told, also when it is over, and when it comes again', async () => {
    using place = journalPlace()
    const told: string[] = []
    const journal = place.open({ patienceMs: 50, onRecovered: (message) => told.push(message) })
    await (await journal.begin(start)).end({ outcome: 'succeeded' })
    for (let time = 1; time <= 2; time += 1) {
      const since = place.clock.time
      {
        using _holder = hold(place.path)
        const operation = await journal.begin(start)
        place.clock.time += minute
        await operation.end({ outcome: 'succeeded' })
        assert.deepEqual([journal.trouble?.since, place.warnings.length], [since, time])
        assert.match(journal.trouble?.message ?? '', /locked by another process/)
      }
      await journal.recordSeen(place.clock.time)
      assert.deepEqual([journal.trouble, told.length], [undefined, time])
      assert.match(told.at(-1) ?? '', /again\. 2 entries of the audit log are missing since /)
    }
  })
})

describe('an audit log that takes no entries', () => {
  for (const [what, harm, mend] of [
    [
      'its head is missing',
      'CREATE TABLE kept AS SELECT * FROM audit_chain; DELETE FROM audit_chain',
      'INSERT INTO audit_chain SELECT * FROM kept',
    ],
    [
      'its head is an old one',
      'UPDATE audit_chain SET sequence = sequence - 1',
      'UPDATE audit_chain SET sequence = sequence + 1',
    ],
  ] as const) {
    it(`because ${what} is told once, and not told to be over before it is`, async () => {
      using place = journalPlace()
      const told: string[] = []
      const journal = place.open({ onRecovered: (message) => told.push(message) })
      await (await journal.begin(start)).end({ outcome: 'succeeded' })
      place.tamper(harm)
      for (let i = 0; i < 2; i += 1) {
        await (await journal.begin(start)).end({ outcome: 'succeeded' })
        await journal.recordSeen(place.clock.time)
        assert.notEqual(journal.trouble, undefined)
      }
      assert.deepEqual([place.warnings.length, told], [1, []])
      const entries = () => journal.audit((all) => [...all].length)
      assert.equal(await entries(), 2)
      place.tamper(mend)
      await journal.recordSeen(place.clock.time)
      assert.equal(journal.trouble, undefined)
      assert.deepEqual([told.length, place.warnings.length], [1, 1])
      assert.match(told[0] ?? '', /again\. 4 entries of the audit log are missing since /)
      assert.equal(await entries(), 2, 'to find that out adds none')
      await (await journal.begin(start)).end({ outcome: 'succeeded' })
      const checked = await journal.audit((all, head) => head && checkChain(all, head))
      assert.deepEqual(checked, { entries: 4, finding: undefined })
    })
  }
})

describe('an operation whose process is gone', () => {
  it('is shown as interrupted; one of a process that lives, as running', async () => {
    using place = journalPlace()
    assert.equal(await recordElsewhere(place.path, '0', 'die'), null)
    await place.open().begin(start)
    const journal = place.open({ now: Date.now })
    const outcomes = (await journal.operations()).map(({ outcome }) => outcome)
    assert.deepEqual(outcomes.sort(), ['interrupted', 'running'])
    const [interrupted] = await journal.operations({ outcome: 'interrupted' })
    assert.equal(interrupted?.endedAt, interrupted?.startedAt)
  })

  it('counts as running on another machine until it was silent for hours, and a heartbeat breaks the silence', async () => {
    using place = journalPlace()
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      const journal = place.open()
      const operation = await journal.begin(start)
      const outcome = async () => (await place.open().operations({ kind: 'backup' }))[0]?.outcome
      const elsewhere = (host: string) =>
        place.tamper(`UPDATE operations SET process = json_set(process, '$.host', '${host}')`)
      place.clock.time += 3 * 60 * minute - 1
      elsewhere('another')
      assert.equal(await outcome(), 'running')
      place.clock.time += 1
      assert.equal(await outcome(), 'interrupted')
      elsewhere(hostname())
      mock.timers.tick(60 * minute)
      // Written in turn: this comes after it.
      await (await journal.begin({ ...start, kind: 'pin' })).end({ outcome: 'succeeded' })
      elsewhere('another')
      assert.equal(await outcome(), 'running')
      await operation.end({ outcome: 'succeeded' })
      assert.equal(await outcome(), 'succeeded')
    } finally {
      mock.timers.reset()
    }
  })
})

describe('many operations at one moment', () => {
  it('share a transaction, and are one whole chain', async () => {
    using place = journalPlace()
    const journal = place.open()
    const handles = await Promise.all(Array.from({ length: 500 }, () => journal.begin(start)))
    assert.equal(new Set(handles.map(({ id }) => id)).size, 500)
    await Promise.all(handles.map((handle) => handle.end({ outcome: 'succeeded' })))
    assert.deepEqual(
      [(await journal.operations({ outcome: 'succeeded' })).length, journal.auditState?.isNew],
      [500, true],
    )
    const checked = await journal.audit((entries, head) => head && checkChain(entries, head))
    assert.deepEqual(checked, { entries: 1000, finding: undefined })
  })
})

describe('several processes at once', () => {
  it('record everything, in one whole chain, also from the very first moment', async () => {
    using place = journalPlace()
    const codes = await Promise.all(Array.from({ length: 4 }, () => recordElsewhere(place.path, '12')))
    assert.deepEqual(codes, [0, 0, 0, 0])
    const operations = await place.open().operations({ outcome: 'succeeded' })
    assert.equal(operations.length, 48)
    const checked = await place.open().audit((entries, head) => head && checkChain(entries, head))
    assert.deepEqual(checked, { entries: 96, finding: undefined })
  })
})

describe('a journal that cannot be used', () => {
  it('is a warning, once, and the work goes on', async () => {
    using place = journalPlace()
    writeFileSync(place.folder.file('state'), 'a file where a folder should be')
    const journal = place.open()
    for (let i = 0; i < 3; i += 1) await (await journal.begin(start)).end({ outcome: 'succeeded' })
    assert.equal(place.warnings.length, 1)
    assert.match(place.warnings[0] ?? '', /^What is done cannot be recorded in the history and the audit log\. /)
  })

  it('records at its end what could not be recorded at its begin', async () => {
    using place = journalPlace()
    const blocked = place.folder.file('state')
    writeFileSync(blocked, '')
    const operation = await place.open().begin(start)
    rmSync(blocked)
    await operation.end({ outcome: 'succeeded' })
    const [recorded] = await place.open().operations()
    assert.deepEqual([recorded?.id, recorded?.outcome], [operation.id, 'succeeded'])
  })

  it('that is of a newer version is left as it is', async () => {
    using place = journalPlace()
    await place.open().begin(start)
    place.tamper('PRAGMA user_version = 99')
    const before = readFileSync(place.path)
    await place.open().begin(start)
    assert.match(place.warnings.join(), /written by a newer version of Holdfast/)
    await assert.rejects(place.open().operations(), (error) => hasCode(error, 'FORMAT_TOO_NEW'))
    assert.deepEqual(readFileSync(place.path), before)
  })

  it('because it is somebody’s database is left as it is', async () => {
    using place = journalPlace()
    mkdirSync(dirname(place.path), { recursive: true })
    place.tamper('CREATE TABLE precious (x); INSERT INTO precious VALUES (1)')
    const before = readFileSync(place.path)
    await place.open().begin(start)
    await assert.rejects(place.open().operations(), (error) => hasCode(error, 'DATABASE_UNSUPPORTED'))
    assert.match(place.warnings.join(), /is no journal of Holdfast/)
    assert.deepEqual(readFileSync(place.path), before)
  })
})

describe('a damaged journal', () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'whose first bytes are lost': (path) =>
      writeFileSync(path, Buffer.concat([Buffer.alloc(64), readFileSync(path).subarray(64)])),
    'that is not a database at all': (path) => writeFileSync(path, 'x'.repeat(5000)),
    'whose tables are lost': (path) => {
      const bytes = readFileSync(path)
      writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]))
    },
    'that was cut': (path) => writeFileSync(path, readFileSync(path).subarray(0, 4096)),
  }
  for (const [how, damage] of Object.entries(damages)) {
    it(`${how} is set aside, with a warning, and a new one begun`, async () => {
      using place = journalPlace()
      for (let i = 0; i < 3; i += 1) await (await place.open().begin(start)).end({ outcome: 'succeeded' })
      damage(place.path)
      const bytes = readFileSync(place.path)
      await (await place.open().begin(start)).end({ outcome: 'succeeded' })
      assert.equal(place.warnings.length, 1)
      assert.match(
        place.warnings[0] ?? '',
        /The journal was damaged\. It was moved to .*\.damaged-\d{8}T\d+Z, and a new one begun/,
      )
      assert.equal((await place.open().operations()).length, 1)
      const aside = readdirSync(dirname(place.path)).find((name) => /\.damaged-[^-]*$/.test(name))
      assert.deepEqual(readFileSync(join(dirname(place.path), aside ?? '')), bytes)
    })
  }

  it('is set aside only once, by whichever of several processes', async () => {
    using place = journalPlace()
    await place.open().begin(start)
    writeFileSync(place.path, 'x'.repeat(5000))
    await Promise.all(
      Array.from({ length: 4 }, async () => (await place.open().begin(start)).end({ outcome: 'succeeded' })),
    )
    assert.equal(place.warnings.length, 1)
    assert.equal((await place.open().operations()).length, 4)
  })
})
