import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type CheckRequest, checkFile, type FileCheck } from '../../../src/source/sqlite/target/check-file.ts'
import { breakIndex, makeDatabase, TestFolder } from './fixtures.ts'

const never = new AbortController().signal

async function check(path: string, sideBySide: boolean, request: Partial<CheckRequest> = {}): Promise<FileCheck> {
  const { result, ended } = checkFile(
    { path, level: 'integrity', facts: true, rowCounts: true, quickPassed: true, sideBySide, ...request },
    never,
  )
  const found = await result
  await ended
  return found
}

/** In an order of its own: who finds what first differs. */
function verdict({ validation, quickFindings, facts }: FileCheck): unknown {
  const { level, ok, findings, foreignKeyViolations } = validation
  return { level, ok, foreignKeyViolations, findings: findings.toSorted(), quick: quickFindings.toSorted(), facts }
}

const databases: Record<string, (path: string) => void> = {
  'a sound database': () => {},
  'a damaged page': (path) => overwrite(path, (bytes) => bytes.fill(0xee, bytes.length - 2000)),
  'an index that lacks a row': breakIndex,
  'rows without a parent': (path) => {
    using db = new DatabaseSync(path, { enableForeignKeyConstraints: false })
    db.exec('DELETE FROM parent')
  },
  'an index that lacks a row, and rows without a parent': (path) => {
    breakIndex(path)
    using db = new DatabaseSync(path, { enableForeignKeyConstraints: false })
    db.exec('DELETE FROM parent')
  },
  'a damaged schema': (path) => overwrite(path, (bytes) => bytes.fill(0xee, 110, 400)),
  'a schema format that SQLite does not know': (path) => overwrite(path, (bytes) => bytes.writeUInt32BE(9, 44)),
  'no database': (path) => overwrite(path, (bytes) => bytes.fill(0xee)),
}

function overwrite(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path)
  change(bytes)
  writeFileSync(path, bytes)
}

for (const [name, make] of Object.entries(databases)) {
  test(`checks side by side find what one after the other does: ${name}`, async () => {
    using folder = new TestFolder()
    const path = folder.file('app.db')
    makeDatabase(path, {})
    make(path)
    for (const level of ['integrity', 'quick', 'none'] as const) {
      const expected = verdict(await check(path, false, { level }))
      assert.deepEqual(verdict(await check(path, true, { level })), expected, level)
    }
  })
}

test('checks side by side find damage of the structure, of the references, and count rows', async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, { rows: 300 })
  databases['an index that lacks a row, and rows without a parent']?.(path)
  const { validation, quickFindings, facts } = await check(path, true)
  assert.equal(validation.ok, false)
  assert.match(validation.findings.join(), /missing from index by_body/)
  assert.equal(validation.foreignKeyViolations, 300)
  assert.deepEqual(quickFindings, [])
  assert.deepEqual(facts?.tables, [
    { name: 'item', rows: 300 },
    { name: 'parent', rows: 0 },
  ])
})

test('checks side by side that are aborted have ended only when neither has the file open', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  using folder = new TestFolder()
  const path = folder.file('app.db')
  makeDatabase(path, { rows: 60_000 })
  const openTimes = () =>
    readdirSync('/proc/self/fd').filter((fd) => readlinkIfThere(`/proc/self/fd/${fd}`) === path).length
  const abort = new AbortController()
  const { result, ended } = checkFile(
    { path, level: 'integrity', facts: true, rowCounts: true, quickPassed: true, sideBySide: true },
    abort.signal,
  )
  result.catch(() => undefined)
  while (openTimes() === 0) await delay(1)
  abort.abort(new Error('enough'))
  await assert.rejects(result, /enough/)
  await ended
  assert.equal(openTimes(), 0)
})

function readlinkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
