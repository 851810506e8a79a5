import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { HoldfastError } from '../../errors.ts'
import { explainError } from './explain-error.ts'
import { type FileProbe, openDatabaseFile, probeFile } from './file-probe.ts'
import { readText } from './inspect/pragma.ts'

/**
 * Switches a database to a write-ahead log, for good: the one lasting change that Holdfast ever makes to a database, and
 * only when its user asks for it. Does nothing if it has one.
 * @throws DATABASE_BUSY while other connections are at work, DATABASE_UNSUPPORTED, and as openSnapshot
 */
export async function enableWal(location: string, { busyTimeoutMs = 5000 } = {}): Promise<void> {
  const { path, descriptors } = openDatabaseFile(location)
  using _held = descriptors
  const probe = probeFile(location, path, descriptors)
  if (probe.header?.journal === 'wal') return
  const mode = switchMode(probe, busyTimeoutMs)
  if (mode === 'wal') return
  throw new HoldfastError('DATABASE_UNSUPPORTED', `SQLite keeps ${location} in the journal mode "${mode}".`, {
    object: location,
    hint: 'A write-ahead log needs a file system with shared memory, and no exclusive lock on the database.',
  })
}

function switchMode(probe: FileProbe, timeout: number): string {
  try {
    // Never makes a file: it was there a moment ago.
    const database = new DatabaseSync(`${pathToFileURL(probe.path).href}?mode=rw`, { timeout })
    try {
      return readText(database, 'journal_mode = WAL')
    } finally {
      database.close()
    }
  } catch (thrown) {
    throw explainError(thrown, probe)
  }
}
