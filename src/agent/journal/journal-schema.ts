import type { DatabaseSync } from 'node:sqlite'
import { HoldfastError } from '../../errors.ts'

/** `HFjn`: tells a journal from any other database. */
const applicationId = 0x48466a6e

/** Each step brings a journal from the version of its index to the next. A released step is never changed. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE operations (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    database TEXT,
    repository TEXT NOT NULL,
    type TEXT,
    trigger TEXT NOT NULL,
    schedule TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    code TEXT,
    message TEXT,
    backup_id TEXT,
    figures TEXT,
    process TEXT,
    seen_at INTEGER NOT NULL,
    origin TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operations_by_start ON operations (started_at);
  -- What a repository tells of is entered once, however often it is asked.
  CREATE UNIQUE INDEX operations_by_origin ON operations (repository, origin);
  CREATE TABLE rebuilt (repository TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE TABLE audit (sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE TABLE audit_chain (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    chain TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  `,
  // A list of sentences, as JSON.
  'ALTER TABLE operations ADD COLUMN warnings TEXT',
]

/** Makes or updates the tables; a journal of this version is left alone. Of several processes at once, one does it. */
export function migrate(database: DatabaseSync, path: string, steps: readonly string[] = migrations): void {
  if (checkVersion(database, path, steps) === steps.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(checkVersion(database, path, steps))) database.exec(step)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * The version of a journal; 0 for a database without anything in it.
 * @throws FORMAT_TOO_NEW for a journal of a newer version, DATABASE_UNSUPPORTED for a database that is no journal
 */
export function checkVersion(database: DatabaseSync, path: string, steps: readonly string[] = migrations): number {
  const version = pragma(database, 'user_version')
  const id = pragma(database, 'application_id')
  const isNew = version === 0 && id === 0 && pragma(database, 'schema_version') === 0
  if (id !== applicationId && !isNew) {
    throw new HoldfastError('DATABASE_UNSUPPORTED', `The database ${path} is no journal of Holdfast.`, {
      object: path,
      hint: 'Move it elsewhere: the journal has its place there.',
    })
  }
  if (version > steps.length) {
    throw new HoldfastError('FORMAT_TOO_NEW', `The journal ${path} was written by a newer version of Holdfast.`, {
      object: path,
      hint: 'Use that version. Until then, nothing is recorded.',
    })
  }
  return version
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}
