import { statSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { type DatabaseDescriptors, fileIdentity } from './descriptors.ts'
import { requireSharedMemory } from './explain-error.ts'
import { type FileProbe, statIfPresent } from './file-probe.ts'
import { requireLogHere } from './log-elsewhere.ts'
import type { ReaderClient } from './reader/client.ts'
import type { Begun, Opened } from './reader/protocol.ts'
import { isSqliteError, readonlyRollback } from './sqlite-error.ts'

export interface Waiting {
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Connects, and leaves the folder as it was wherever SQLite allows:
 *
 * - A log exists: read-only. Such a connection neither checkpoints nor deletes the log when it is the last to close.
 *   (If the application closes first, the log stays behind whole; the next connection takes it up.)
 * - WAL mode, but no log: nobody has the database open, and SQLite makes `-wal` and `-shm`. Only a writable connection
 *   removes them again when it closes, so it is one, with `query_only` on. Should there be commits in the log by then, it
 *   leaves them there: see Reader.
 * - Rollback mode: read-only. Only if a killed writer left a hot journal, a writable connection lets SQLite roll it back.
 */
export async function connect(reader: ReaderClient, probe: FileProbe, waiting: Waiting): Promise<Opened> {
  const usesLog = probe.header?.journal === 'wal'
  if (usesLog) {
    requireSharedMemory(probe)
    requireLogHere(probe)
  }
  const leavesNoTrace = usesLog && statIfPresent(`${probe.path}-wal`) === undefined
  const request = { path: probe.path, waitMs: waiting.waitMs }
  if (leavesNoTrace) return reader.open({ ...request, access: 'read-write' }, waiting.signal)
  try {
    return await reader.open({ ...request, access: 'read-only' }, waiting.signal)
  } catch (thrown) {
    if (!isSqliteError(thrown) || thrown.errcode !== readonlyRollback) throw thrown
    return reader.open({ ...request, access: 'read-write' }, waiting.signal)
  }
}

/** Begins the transaction that holds the state; in WAL mode, with proof of the frame that it stands at. */
export async function begin(
  reader: ReaderClient,
  probe: FileProbe,
  descriptors: DatabaseDescriptors,
  opened: Opened,
  waiting: Waiting,
): Promise<Begun> {
  let usesLog = opened.usesLog
  // The journal mode can change until the transaction holds it; more than once is a switch that somebody plays with.
  for (let attempt = 0; attempt < 3; attempt++) {
    requireSameFile(probe, descriptors)
    if (usesLog) requireSharedMemory(probe)
    const sharedMemory = usesLog ? descriptors.sharedMemory(`${probe.path}-shm`) : undefined
    const begun = await reader.begin({ sharedMemory, waitMs: waiting.waitMs }, waiting.signal)
    if (!begun.usesLog || begun.horizon !== undefined) return begun
    usesLog = begun.usesLog
  }
  throw new HoldfastError('DATABASE_CHANGED', `The journal mode of ${probe.location} keeps changing.`, {
    object: probe.location,
  })
}

/** SQLite opened the path by itself: it must have met the file that our descriptor is of. @throws DATABASE_CHANGED */
export function requireSameFile(probe: FileProbe, descriptors: DatabaseDescriptors): void {
  const stats = statSync(probe.location, { throwIfNoEntry: false })
  if (stats !== undefined && fileIdentity(stats) === descriptors.identity) return
  const what = stats === undefined ? 'removed' : 'replaced by another file'
  throw new HoldfastError('DATABASE_CHANGED', `${probe.location} was ${what} while it was read.`, {
    object: probe.location,
    hint: 'Run it again once the file is in its final place.',
  })
}
