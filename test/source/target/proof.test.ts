import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import type { ExpectedState } from '../../../src/source/target.ts'
import {
  assertSameBytes,
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
