import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError } from '../../../src/errors.ts'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import type { ExpectedState } from '../../../src/source/target.ts'
import {
  assertSameBytes,
  breakIndex,
  makeDatabase,
  stateOf,
  TestFolder,
  type WantedState,
  wantedFrom,
  wantedState,
  writeWanted,
} from './fixtures.ts'

/** Restores `written` over an old file, expecting `expected`; then the old file must stand unless all was proved. */
async function prove(folder: TestFolder, written: WantedState, expected: Partial<ExpectedState>, delta = false) {
  const path = folder.file('app.db')
  if (!existsSync(path)) makeDatabase(path, { seed: 9, rows: 40 })
  const old = readFileSync(path)
  try {
    await using target = await openTarget(path, { ...written, force: true, delta })
    await writeWanted(target, written)
    return await target.prove({ state: written.state, level: 'integrity', rowCounts: true, ...expected })
  } finally {
    assertSameBytes(readFileSync(path), old)
    assert.deepEqual(readdirSync(folder.path), ['app.db'])
  }
}

for (const delta of [false, true]) {
  const mode = delta ? 'delta' : 'replace'

  test(`a bit that differs from the wanted state is found, and the old file stands (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    const flipped = Buffer.from(wanted.bytes)
    flipped[5000] = (flipped[5000] ?? 0) ^ 1
    await assert.rejects(prove(folder, { ...wanted, bytes: flipped }, { level: 'none' }, delta), {
      code: 'PROOF_FAILED',
      message: /state checksum.*expected [0-9a-f]{16}, got [0-9a-f]{16}/,
    })
  })

  test(`a page that was never written is found (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    const path = folder.file('app.db')
    makeDatabase(path, { seed: 5 })
    await using target = await openTarget(path, { ...wanted, force: true, delta })
    await target.write(Uint32Array.of(1), wanted.bytes.subarray(0, wanted.pageSize))
    await assert.rejects(target.prove({ state: wanted.state, level: 'none', rowCounts: false }), {
      code: 'PROOF_FAILED',
    })
  })

  test(`a check command sees the restored database, and may refuse it (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    const proof = await prove(
      folder,
      wanted,
      { command: 'echo "size $(wc -c < "$1")"; test "$1" = "$HOLDFAST_RESTORED_FILE"' },
      delta,
    )
    assert.equal(proof.command?.output, `size ${wanted.bytes.length}`)
    await assert.rejects(prove(folder, wanted, { command: 'echo no such user; exit 3' }, delta), {
      code: 'CHECK_COMMAND_FAILED',
      message: /ended with 3.*no such user/s,
    })
  })

  test(`a check command that runs too long is stopped, with all that it started (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    await assert.rejects(prove(folder, wanted, { command: 'sleep 100 | sleep 100', commandTimeoutMs: 100 }, delta), {
      code: 'CHECK_COMMAND_FAILED',
      message: /longer than 0.1 s/,
    })
  })

  test(`a check command that changes the file is found out (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    for (const command of [
      'printf x | dd of="$1" bs=1 seek=5000 conv=notrunc',
      'echo >> "$1"',
      'echo frames > "$1-wal"',
      // The file that was proved still has its bytes, but no longer its name.
      'echo evil > "$1-x" && mv "$1-x" "$1"',
      'cp "$1" "$1-x" && mv "$1-x" "$1"',
      'mv "$1" "$1-x" && ln -s "$1-x" "$1"; rm -f "$1-x"',
      'rm "$1"',
    ]) {
      await assert.rejects(prove(folder, wanted, { command }, delta), {
        code: 'PROOF_FAILED',
        message: /check command/,
      })
    }
  })

  test(`an aborted proof leaves the old file (${mode})`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, {})
    const path = folder.file('app.db')
    makeDatabase(path, { seed: 5 })
    const old = readFileSync(path)
    {
      await using target = await openTarget(path, { ...wanted, force: true, delta })
      await writeWanted(target, wanted)
      const abort = new AbortController()
      const options = { signal: abort.signal, onProgress: () => abort.abort() }
      await assert.rejects(target.prove({ state: wanted.state, level: 'integrity', rowCounts: true }, options), {
        code: 'ABORTED',
      })
    }
    assertSameBytes(readFileSync(path), old)
  })
}

test('a check command must not leave the file open for a process that outlives it', {
  skip: process.platform !== 'linux' && 'only Linux tells',
}, async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  using elsewhere = new TestFolder()
  const pid = elsewhere.file('pid')
  // It must have left the process group before the command ends.
  const command = `exec 3>>"$1"; setsid sh -c 'echo $$ > ${pid}; exec sleep 30' >/dev/null 2>&1 &
    while [ ! -s ${pid} ]; do sleep 0.01; done`
  try {
    await assert.rejects(prove(folder, wanted, { command }), {
      code: 'PROOF_FAILED',
      message: /still has it open: .*sleep/,
    })
  } finally {
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL')
  }
})

test('what is put in place of the proved file before the rename is found out', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const path = folder.file('app.db')
  makeDatabase(path, { seed: 9, rows: 40 })
  const old = readFileSync(path)
  const onStep = (step: string) => {
    if (step !== 'rename') return
    const written = readdirSync(folder.path).find((name) => /\.holdfast-[^.]*[0-9a-f]$/.test(name)) ?? ''
    writeFileSync(folder.file('evil'), 'evil')
    renameSync(folder.file('evil'), folder.file(written))
  }
  {
    await using target = await openTarget(path, { ...wanted, force: true, onStep })
    await writeWanted(target, wanted)
    await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
    await assert.rejects(target.commit(), { code: 'PROOF_FAILED', message: /identity/ })
  }
  assertSameBytes(readFileSync(path), old)
  assert.deepEqual(readdirSync(folder.path), ['app.db'])
})

test('an aborted delta proof lets go of the file only when its check has ended', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, { rows: 60_000 })
  const path = folder.file('app.db')
  writeFileSync(path, wanted.bytes)
  const openTimes = () =>
    readdirSync('/proc/self/fd').filter((fd) => readlinkIfThere(`/proc/self/fd/${fd}`) === path).length
  {
    await using target = await openTarget(path, { ...wanted, delta: true })
    const atMost = openTimes()
    const abort = new AbortController()
    const proving = target.prove({ state: wanted.state, level: 'integrity', rowCounts: true }, { signal: abort.signal })
    proving.catch(() => undefined)
    while (openTimes() <= atMost) await delay(1)
    abort.abort()
    await assert.rejects(proving, { code: 'ABORTED' })
  }
  assert.equal(openTimes(), 0)
})

function readlinkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

test('a manifest that tells of another database is found out', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const { facts } = wanted
  assert.ok(facts)
  const wrong = {
    schemaDigest: { ...facts, schemaDigest: 'f00' },
    'row count of item': { ...facts, tables: facts.tables.map((table) => ({ ...table, rows: 7 })).slice(0, 1) },
    'table gone': { ...facts, tables: [...facts.tables, { name: 'gone', rows: null }] },
    userVersion: { ...facts, userVersion: 3 },
  }
  for (const [proof, expected] of Object.entries(wrong)) {
    await assert.rejects(prove(folder, wanted, { facts: expected }), {
      code: 'PROOF_FAILED',
      message: new RegExp(proof),
    })
  }
  const uncounted = { ...facts, tables: facts.tables.map(({ name }) => ({ name, rows: null })) }
  assert.equal((await prove(folder, wanted, { facts: uncounted })).tablesCompared, 0)
})

test('a backup that was damaged already is not refused for its damage; others are', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const bytes = Buffer.from(wanted.bytes)
  bytes.fill(0xee, bytes.length - 2000)
  const damaged = { ...wanted, bytes, state: stateOf(bytes, wanted.pageSize) }
  await assert.rejects(prove(folder, damaged, {}), { code: 'PROOF_FAILED', message: /integrity_check.*expected ok/ })
  using other = new TestFolder()
  const { validation } = await prove(other, damaged, { alreadyDamaged: true })
  assert.equal(validation.ok, false)
  assert.ok(validation.findings.length > 0)
})

test('a check that passed at backup must pass again; what only a deeper one finds is the database’s own', async () => {
  using source = new TestFolder()
  const wanted = wantedState(source, {})
  const bytes = Buffer.from(wanted.bytes)
  bytes.fill(0xee, bytes.length - 2000)
  const visible = { ...wanted, bytes, state: stateOf(bytes, wanted.pageSize), facts: undefined }
  makeDatabase(source.file('deep.db'), {})
  breakIndex(source.file('deep.db'))
  const deep = { ...wantedFrom(source.file('deep.db')), facts: undefined }
  const outcome = async (written: WantedState, expected: Partial<ExpectedState>) => {
    using own = new TestFolder()
    return await prove(own, written, expected).then(
      ({ warnings }) => warnings.join(),
      (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
    )
  }
  assert.equal(await outcome(visible, { levelAtBackup: 'integrity' }), 'PROOF_FAILED')
  assert.equal(await outcome(visible, { levelAtBackup: 'quick' }), 'PROOF_FAILED')
  assert.equal(await outcome(visible, { levelAtBackup: 'quick', level: 'quick' }), 'PROOF_FAILED')
  assert.match(await outcome(visible, { levelAtBackup: 'none' }), /itself has this damage.*not checked/)
  assert.match(await outcome(visible, { levelAtBackup: 'none', level: 'quick' }), /quick_check/)
  assert.equal(await outcome(deep, { levelAtBackup: 'integrity' }), 'PROOF_FAILED')
  assert.equal(await outcome(deep, {}), 'PROOF_FAILED')
  assert.match(await outcome(deep, { levelAtBackup: 'quick' }), /itself has this damage.*missing from index/)
  assert.equal(await outcome(deep, { levelAtBackup: 'quick', level: 'quick' }), '')
})

test('bytes that were never whole are never excused by a damaged backup', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const damaged = { state: wanted.state + 1n, alreadyDamaged: true, levelAtBackup: 'none' } as const
  await assert.rejects(prove(folder, wanted, damaged), { code: 'PROOF_FAILED', message: /state checksum/ })
})

test('a damaged database that reads differently now is restored, and the differences are told', async () => {
  using folder = new TestFolder()
  const wanted = wantedState(folder, {})
  const { facts } = wanted
  assert.ok(facts)
  const other = { ...facts, schemaDigest: 'f00', tables: [...facts.tables, { name: 'gone', rows: 3 }] }
  const proof = await prove(folder, wanted, { facts: other, alreadyDamaged: true })
  assert.equal(proof.factsMatch, false)
  assert.match(proof.warnings.join(), /schemaDigest.*table gone.*was present, and is missing/)
})

test('foreign key violations of the backup are no failure, more are', async () => {
  using folder = new TestFolder()
  const source = folder.file('source.db')
  makeDatabase(source, {})
  const db = new DatabaseSync(source, { enableForeignKeyConstraints: false })
  db.exec('DELETE FROM parent')
  db.close()
  const wanted = wantedFrom(source)
  const restore = async (expectedForeignKeyViolations: number) => {
    using own = new TestFolder()
    return await prove(own, wanted, { expectedForeignKeyViolations })
  }
  assert.equal((await restore(500)).validation.foreignKeyViolations, 500)
  await assert.rejects(restore(499), { code: 'PROOF_FAILED', message: /foreign_key_check.*499 violations, got 500/ })
})
