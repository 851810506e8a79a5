import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { migrate } from '../../../src/agent/journal/journal-schema.ts'
import { hasCode } from '../../../src/errors.ts'

const steps = ['CREATE TABLE first (x)', 'ALTER TABLE first ADD COLUMN y', 'CREATE TABLE third (z)']

function columns(database: DatabaseSync, table: string): unknown[] {
  return database
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => name)
}

describe('migrations of the journal', () => {
  it('lead from every earlier version to the newest, and keep what is there', () => {
    for (let version = 0; version <= steps.length; version += 1) {
      using database = new DatabaseSync(':memory:')
      migrate(database, 'j', steps.slice(0, version))
      if (version > 0) database.exec('INSERT INTO first (x) VALUES (7)')
      migrate(database, 'j', steps)
      migrate(database, 'j', steps)
      assert.deepEqual([columns(database, 'first'), columns(database, 'third')], [['x', 'y'], ['z']])
      assert.equal(database.prepare('SELECT count(*) AS n FROM first').get()?.['n'], version > 0 ? 1 : 0)
    }
  })

  it('happen wholly or not at all', () => {
    using database = new DatabaseSync(':memory:')
    assert.throws(() => migrate(database, 'j', [...steps, 'CREATE TABLE first (again)']), /already exists/)
    assert.deepEqual(columns(database, 'first'), [])
    migrate(database, 'j', steps)
  })

  it('refuse what is newer, and what is no journal', () => {
    using newer = new DatabaseSync(':memory:')
    migrate(newer, 'j', steps)
    assert.throws(
      () => migrate(newer, 'j', steps.slice(0, 2)),
      (error) => hasCode(error, 'FORMAT_TOO_NEW'),
    )
    using other = new DatabaseSync(':memory:')
    other.exec('CREATE TABLE precious (x)')
    assert.throws(
      () => migrate(other, 'j', steps),
      (error) => hasCode(error, 'DATABASE_UNSUPPORTED'),
    )
  })
})
