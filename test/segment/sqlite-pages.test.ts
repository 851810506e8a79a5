/** Pages as SQLite writes them, of every page size, transaction by transaction. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { composePatches } from '../../src/segment/compose-patches.ts'
import { encodePatch } from '../../src/segment/encode-patch.ts'
import { applyPatch, checkPatch } from '../../src/segment/patch.ts'

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

function randomOf(start: number): (limit: number) => number {
  let state = start >>> 0
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Reads the whole file before the first and after every transaction; no other process or connection has it open. */
function* statesOf(pageSize: number, transactions: number, below: (limit: number) => number): Generator<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'))
  const path = join(folder, 'app.db')
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF`)
    database.exec(
      'CREATE TABLE t (id INTEGER PRIMARY KEY, state TEXT, body TEXT); CREATE INDEX t_state ON t (state, id)',
    )
    const insert = database.prepare('INSERT INTO t (state, body) VALUES (?, ?)')
    const update = database.prepare('UPDATE t SET state = ? WHERE id = ?')
    const remove = database.prepare('DELETE FROM t WHERE id = ?')
    const word = () => ['new', 'paid', 'packed', 'delivered to the customer'][below(4)] ?? ''
    database.exec('BEGIN')
    for (let row = 0; row < 600; row++) insert.run(word(), `row ${row} ${'x'.repeat(below(40))} ${below(1e9)}`)
    database.exec('COMMIT')
    yield readFileSync(path)
    for (let transaction = 0; transaction < transactions; transaction++) {
      database.exec('BEGIN')
      for (let row = 0; row < 3; row++) update.run(word(), 1 + below(600))
      if (below(5) === 0) insert.run(word(), `${below(1e9)}`)
      if (below(5) === 0) remove.run(1 + below(600))
      database.exec('COMMIT')
      yield readFileSync(path)
    }
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

/** Makes, composes and applies the patches of all transactions. Returns their bytes, and how many bytes differed. */
function patchAll(pageSize: number, start: number): { readonly patches: number; readonly differing: number } {
  const composed = new Map<number, { patch: Uint8Array; first: Uint8Array }>()
  const total = { patches: 0, differing: 0 }
  let before: Buffer | undefined
  for (const state of statesOf(pageSize, 60, randomOf(start))) {
    for (let page = 1; before !== undefined && page * pageSize <= before.length; page++) {
      const [former, later] = [before, state].map((image) => image.subarray((page - 1) * pageSize, page * pageSize))
      if (former === undefined || later?.length !== pageSize || former.equals(later)) continue
      total.differing += former.reduce((sum, byte, at) => sum + (byte === later[at] ? 0 : 1), 0)
      const patch = encodePatch(former, later)
      total.patches += (patch ?? later).length
      if (patch === undefined) {
        composed.delete(page)
        continue
      }
      checkPatch(patch, pageSize)
      const made = Uint8Array.from(former)
      applyPatch(made, patch)
      assert.ok(later.equals(made), `page ${page}`)
      const older = composed.get(page) ?? { patch: new Uint8Array(0), first: Uint8Array.from(former) }
      const both = composePatches(older.patch, patch, pageSize)
      const again = Uint8Array.from(older.first)
      applyPatch(again, both)
      assert.ok(later.equals(again), `page ${page}, composed`)
      composed.set(page, { ...older, patch: both })
    }
    before = state
  }
  assert.ok(composed.size > 1)
  return total
}

for (const pageSize of [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]) {
  test(`pages of ${pageSize} bytes are patched and composed right (seed ${seed})`, () => {
    assert.ok(patchAll(pageSize, seed).patches > 0)
  })
}

test('patches of rows that change their length are smaller than half of the bytes that differ, which XOR alone would store', () => {
  const { patches, differing } = patchAll(4096, 1)
  assert.ok(patches * 2 < differing, `${patches} bytes for ${differing}`)
})
