import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { discover } from '../../../src/agent/discovery/discover.ts'
import { NameBook } from '../../../src/agent/discovery/name-book.ts'
import { isDatabaseName } from '../../../src/repository/layout.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { databaseConfig } from '../support/database-config.ts'

function scene() {
  const folder = temporaryFolder()
  const make = (name: string): string => {
    const path = folder.file(name)
    mkdirSync(dirname(path), { recursive: true })
    using database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = wal; CREATE TABLE t (a)')
    return path
  }
  const pattern = (patterns: string[], exclude: string[] = []) =>
    databaseConfig({
      source: {
        kind: 'glob',
        patterns: patterns.map((each) => folder.file(each)),
        exclude: exclude.map((each) => folder.file(each)),
      },
    })
  return { folder, make, pattern, book: folder.file('names.json') }
}

const noWarning = (message: string): void => assert.fail(message)

describe('finding databases', () => {
  it('finds what patterns match, below any folder, and keeps equal file names apart', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    for (const name of ['tenants/acme/app.db', 'tenants/bolt/app.db', 'tenants/bolt/old/app.db', 'other/app.db'])
      make(name)
    const names = await NameBook.read(book, noWarning)
    const { databases, ignored } = await discover([pattern(['tenants/**/*.db'])], names)
    assert.deepEqual(
      databases.map(({ name }) => name),
      ['acme-app', 'bolt-app', 'bolt-old-app'],
    )
    assert.equal(ignored.size, 0)
  })

  it('leaves out what is excluded, is no database, is empty, or is a part of one', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    make('d/app.db')
    make('d/cache.db')
    writeFileSync(folder.file('d/notes.db'), 'These are notes, and not a database at all.')
    writeFileSync(folder.file('d/new.db'), '')
    writeFileSync(folder.file('d/app.db-wal'), 'x')
    mkdirSync(folder.file('d/folder.db'))
    symlinkSync(folder.file('d/nowhere'), folder.file('d/link.db'))
    const names = await NameBook.read(book, noWarning)
    const { databases, ignored } = await discover([pattern(['d/*.db*'], ['d/cache.db'])], names)
    assert.deepEqual(
      databases.map(({ name }) => name),
      ['app'],
    )
    assert.deepEqual(
      [...ignored].map(([path, reason]) => `${path.slice(folder.path.length + 3)}: ${reason.slice(0, 12)}`),
      ['folder.db: it is no fil', 'link.db: ENOENT: no s', 'new.db: it is empty,', 'notes.db: it is no SQL'],
    )
  })

  it('names a database by its path even if it is not there, once, by the first entry that has it', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const path = make('d/app.db')
    const names = await NameBook.read(book, noWarning)
    const named = databaseConfig({ source: { kind: 'path', path, name: 'main' } })
    const missing = databaseConfig({ source: { kind: 'path', path: folder.file('gone.db'), name: undefined } })
    const { databases } = await discover([named, missing, pattern(['d/*.db'])], names)
    assert.deepEqual(
      databases.map(({ name }) => name),
      ['main', 'gone'],
    )
  })

  it('gives a path its name for good: not another after a restart, or when others come and go', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const first = make('d/a-b/c.db')
    const entries = [pattern(['d/**/*.db'])]
    const names = await NameBook.read(book, noWarning)
    assert.deepEqual(
      (await discover(entries, names)).databases.map(({ name }) => name),
      ['a-b-c'],
    )
    make('d/a/b-c.db')
    await names.save()
    const later = await NameBook.read(book, noWarning)
    const found = (await discover(entries, later)).databases
    assert.equal(found.find(({ path }) => path === first)?.name, 'a-b-c')
    assert.match(found.find(({ path }) => path !== first)?.name ?? '', /^a-b-c-[0-9a-f]{6}$/)
    rmSync(first)
    const left = (await discover(entries, later)).databases
    assert.match(left[0]?.name ?? '', /^a-b-c-[0-9a-f]{6}$/)
    renameSync(left[0]?.path ?? '', folder.file('d/new.db'))
    assert.deepEqual(
      (await discover(entries, later)).databases.map(({ name }) => name),
      ['new'],
    )
  })

  it('begins the names anew where they cannot be read, and says so', async () => {
    const { folder, book } = scene()
    using _ = folder
    writeFileSync(book, '{"names": [')
    const warnings: string[] = []
    const names = await NameBook.read(book, (message) => void warnings.push(message))
    assert.equal(names.nameOf('/a/app.db', 'app'), 'app')
    assert.equal(warnings.length, 1)
  })
})

describe('two of which one would be lost', () => {
  it('keeps a name that the configuration gives from a file that a pattern found, whichever comes first', async () => {
    for (const order of ['given first', 'pattern first'] as const) {
      const { folder, make, pattern, book } = scene()
      using _ = folder
      make('tenants/acme/app.db')
      const path = make('other.db')
      const given = databaseConfig({ source: { kind: 'path', path, name: 'acme-app' } })
      const found = pattern(['tenants/**/*.db'])
      const names = await NameBook.read(book, noWarning)
      await discover([found], names)
      const { databases } = await discover(order === 'given first' ? [given, found] : [found, given], names)
      assert.equal(databases.length, 2)
      assert.equal(new Set(databases.map(({ name }) => name)).size, 2)
      assert.equal(databases.find((each) => each.path === path)?.name, 'acme-app')
    }
  })

  it('looks after one file once, though a link leads to it too', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const path = make('d/app.db')
    symlinkSync(path, folder.file('d/link.db'))
    const names = await NameBook.read(book, noWarning)
    const entry = pattern(['d/*.db'])
    const first = await discover([entry], names)
    assert.deepEqual(
      first.databases.map(({ name }) => name),
      ['app'],
    )
    assert.match(first.ignored.get(folder.file('d/link.db')) ?? '', /same file as .*app\.db/)
    const again = await discover([entry], names, { known: new Set([path]) })
    assert.equal(again.databases.length, 1)
    const linked = databaseConfig({ source: { kind: 'path', path: folder.file('d/link.db'), name: undefined } })
    assert.equal((await discover([entry, linked], names)).databases.length, 1)
  })

  it('leaves what is in its own folders alone', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    make('srv/app.db')
    make('srv/state/journal.db')
    const names = await NameBook.read(book, noWarning)
    const { databases, ignored } = await discover([pattern(['srv/**/*.db'])], names, {
      ownFolders: [folder.file('srv/state')],
    })
    assert.deepEqual(
      databases.map(({ name }) => name),
      ['app'],
    )
    assert.equal(ignored.size, 0)
  })
})

describe('what a pattern found before', () => {
  it('stays a database, whatever became of it, and is told of, unless it is gone', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const names = await NameBook.read(book, noWarning)
    const [sound, damaged, emptied, gone] = ['sound', 'damaged', 'emptied', 'gone'].map((name) => make(`d/${name}.db`))
    assert.ok(sound && damaged && emptied && gone)
    writeFileSync(damaged, 'Remember the milk.\n'.repeat(100))
    writeFileSync(emptied, '')
    rmSync(gone)
    const remembered = () => [sound, damaged, emptied, gone]
    const found = await discover([pattern(['d/*.db'])], names, { remembered })
    assert.deepEqual(found.databases.map(({ name }) => name).sort(), ['damaged', 'emptied', 'sound'])
    assert.deepEqual(
      found.troubled.map(({ name, trouble }) => `${name}: ${trouble}`),
      ['damaged: it is no SQLite database', 'emptied: it is empty, and was not before'],
    )
    assert.equal(found.ignored.size, 0)
    // Not even when the entry changes, of which nothing is remembered then.
    const [known, doubted] = [[sound, damaged, emptied], [emptied]].map((paths) => new Set(paths))
    const changed = await discover([pattern(['d/*.db'], ['d/other.db'])], names, { known, doubted })
    assert.deepEqual(
      changed.troubled.map(({ name }) => name),
      ['emptied'],
    )
    assert.equal(changed.databases.length, 3)
  })

  it('keeps its place when a link to it comes that is found first, also after a restart', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const path = make('t/e/app.db')
    mkdirSync(folder.file('t/d'))
    const link = folder.file('t/d/link.db')
    symlinkSync(path, link)
    const names = await NameBook.read(book, noWarning)
    const entries = [pattern(['t/*/*.db'])]
    for (const options of [{ known: new Set([path]) }, { remembered: () => [path] }]) {
      const { databases, ignored } = await discover(entries, names, options)
      assert.deepEqual(
        databases.map((each) => each.path),
        [path],
      )
      assert.equal(ignored.get(link), `it is the same file as ${path}`)
    }
  })

  it('gives way to an entry that names the same file by another path', async () => {
    const { folder, make, pattern, book } = scene()
    using _ = folder
    const path = make('e/app.db')
    const link = folder.file('link.db')
    symlinkSync(path, link)
    const names = await NameBook.read(book, noWarning)
    const named = databaseConfig({ source: { kind: 'path', path: link, name: 'main' } })
    const { databases } = await discover([pattern(['e/*.db']), named], names, { known: new Set([path]) })
    assert.deepEqual(
      databases.map(({ name }) => name),
      ['main'],
    )
    // One that is not named any more keeps nobody from taking its place.
    const moved = await discover([named], names, { known: new Set([path]) })
    assert.equal(moved.databases.length, 1)
  })
})

it('two long paths get names that are allowed, and differ', async () => {
  const { folder, make, pattern, book } = scene()
  using _ = folder
  const long = 'x'.repeat(60)
  for (const name of ['one', 'two']) make(`d/${long}/${long}/${name}.db`)
  const names = await NameBook.read(book, noWarning)
  const { databases } = await discover([pattern(['d/**/*.db'])], names)
  assert.equal(new Set(databases.map(({ name }) => name)).size, 2)
  for (const { name } of databases) assert.ok(isDatabaseName(name), name)
})
