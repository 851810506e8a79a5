import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { clearLeftovers } from '../../../src/source/sqlite/target/leftovers.ts'
import { parseTemporaryName, temporaryName } from '../../../src/source/sqlite/target/temporary-name.ts'
import { currentProcess, type ProcessIdentity } from '../../../src/util/process-identity.ts'
import { TestFolder } from './fixtures.ts'

/** A process id that was ours before a reuse: it began at another time. */
const dead: ProcessIdentity = { ...currentProcess(), startedAt: '1' }

test('a temporary name carries its owner', () => {
  const here = currentProcess()
  for (const base of ['app.db', 'ünïcödé 😀.db', 'x'.repeat(255), '😀'.repeat(63), '.holdfast-1-2']) {
    const name = temporaryName(base, here, 'abcd')
    assert.ok(Buffer.byteLength(name) <= 230, `${Buffer.byteLength(name)} bytes`)
    assert.deepEqual(parseTemporaryName(name, here)?.owner, here)
    assert.equal(parseTemporaryName(`${name}.kept-12-wal`, here)?.suffix, '.kept-12-wal')
    assert.equal(parseTemporaryName(name, { ...here, host: 'another host' })?.owner.host, '')
  }
  const bare = { host: 'mac', bootId: '', pid: 7, startedAt: '' }
  assert.deepEqual(parseTemporaryName(temporaryName('a', bare, 'ff'), bare)?.owner, bare)
  for (const name of ['app.db', '.app.db', '.app.db.holdfast-notes', '.app.db.holdfast-1-2-3-4-5-6']) {
    assert.equal(parseTemporaryName(name, here), undefined)
  }
})

test('leftovers of dead processes go, whatever they restored; those of living ones and of other hosts stay', () => {
  using folder = new TestFolder()
  const living = temporaryName('app.db', currentProcess(), 'aa')
  const foreign = temporaryName('app.db', { ...dead, host: 'elsewhere' }, 'bb')
  const own = temporaryName('app.db', dead, 'cc')
  const others = temporaryName('other.db', dead, 'dd')
  for (const name of [living, foreign, own, `${own}-wal`, others, 'app.db', '.app.db.holdfast-notes'])
    writeFileSync(folder.file(name), '')
  clearLeftovers(folder.path, 'app.db')
  assert.deepEqual(readdirSync(folder.path).sort(), [living, foreign, 'app.db', '.app.db.holdfast-notes'].sort())
})

test('a sidecar set aside comes back if its database still stands, and goes if the new one does', () => {
  using folder = new TestFolder()
  writeFileSync(folder.file('app.db'), 'encrypted')
  const { ino } = statSync(folder.file('app.db'))
  writeFileSync(folder.file(`${temporaryName('app.db', dead, 'aa')}.kept-${ino}-wal`), 'its log')
  writeFileSync(folder.file(`${temporaryName('app.db', dead, 'bb')}.kept-${ino + 1}-journal`), 'of an older one')
  const elsewhere = `${temporaryName('other.db', dead, 'cc')}.kept-1-wal`
  writeFileSync(folder.file(elsewhere), 'not ours to judge')
  clearLeftovers(folder.path, 'app.db')
  assert.equal(readFileSync(folder.file('app.db-wal'), 'utf8'), 'its log')
  assert.deepEqual(readdirSync(folder.path).sort(), ['app.db', 'app.db-wal', elsewhere].sort())
})
