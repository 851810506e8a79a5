import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { HoldfastError } from '../../../errors.ts'
import type { DatabaseFollower, OpenFollowerOptions } from '../../follower.ts'
import { requireSameFile } from '../connect.ts'
import { requireEngineVersion } from '../engine-version.ts'
import { explainError, requireSharedMemory } from '../explain-error.ts'
import { openDatabaseFile, probeFile } from '../file-probe.ts'
import { holdState } from '../held-state.ts'
import { type LogHorizon, parseHorizon } from '../log/wal-index.ts'
import { requireLogHere } from '../log-elsewhere.ts'
import { PendingReads } from '../pending-reads.ts'
import { CommitStream, type FormerLog } from './commit-stream.ts'
import { LogCursor, type LogPlace } from './log-cursor.ts'
import type { WatchFile } from './log-watch.ts'
import type { PageTable } from './page-table.ts'
import { ReaderPair } from './reader-pair.ts'
import { resumeAt } from './resume.ts'
import { SqliteFollower } from './sqlite-follower.ts'
import { heldStart } from './start-anew.ts'

const defaultBusyTimeoutMs = 5000

export interface FollowerParts {
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Default: `fs.watch`. */
  readonly watchFile?: WatchFile | undefined
  /** After so long without a commit, in milliseconds, it keeps no more at hand than it must; default 15,000. */
  readonly restMs?: number | undefined
}

/** See {@link FollowingSource.openFollower}. */
export async function openSqliteFollower(
  location: string,
  options: OpenFollowerOptions,
  { clock, watchFile, restMs }: FollowerParts = { clock: options.now ?? Date.now },
): Promise<DatabaseFollower> {
  const waiting = { waitMs: options.busyTimeoutMs ?? defaultBusyTimeoutMs, signal: options.signal }
  // Released in the reverse order: descriptors last, after SQLite has closed (see descriptors.ts).
  await using resources = new AsyncDisposableStack()
  const { path, descriptors } = openDatabaseFile(location)
  resources.use(descriptors)
  const probe = probeFile(location, path, descriptors)
  try {
    if (probe.header?.journal === 'rollback') throw notInWalMode(location)
    requireSharedMemory(probe)
    requireLogHere(probe)
    const { pair, engineVersion, usesLog } = await ReaderPair.open(
      { path, requireSame: () => requireSameFile(probe, descriptors) },
      () => descriptors.sharedMemory(`${path}-shm`),
      waiting,
    )
    resources.use(pair)
    requireEngineVersion(engineVersion)
    if (!usesLog) throw notInWalMode(location)
    requireSameFile(probe, descriptors)
    const begun = await pair.beginExactly(waiting)
    if (begun.horizon === undefined) throw notInWalMode(location)
    const capturedAt = clock()
    const horizon = parseHorizon(Buffer.from(begun.horizon.header))
    const log = { path: `${path}-wal`, descriptor: openSync(`${path}-wal`, constants.O_RDONLY) }
    resources.defer(() => closeSync(log.descriptor))
    const reads = resources.use(new PendingReads(location))
    const { pageSize } = begun
    const file = descriptors.identity
    const { database } = descriptors
    const stream = (
      place: LogPlace,
      table: PageTable,
      of: {
        readonly fileMayBeAheadUntil: number
        readonly former?: FormerLog | undefined
        bigEndian?: boolean | undefined
      },
    ) =>
      new CommitStream({
        ...of,
        file,
        database,
        cursor: new LogCursor(log, pageSize, place, of.bigEndian),
        table,
        clock,
      })
    const parts = { probe, descriptors, log, pair, reads, pageSize, waiting, watchFile, restMs, clock }

    const copiedOf = (log: LogHorizon) => pair.copiedOf(log)
    const content = { location, database, fileBytes: fstatSync(database).size, reads, copiedOf }
    const now = { file, pageSize, horizon, log, content, look: () => pair.readIndex()?.horizon }
    const resumed = options.resume && (await resumeAt(options.resume, now, options.signal))
    if (resumed?.kind === 'resumed') {
      const { former, bigEndian } = resumed
      const goingOn = stream(resumed.place, resumed.table, {
        fileMayBeAheadUntil: horizon.lastFrame,
        former,
        bigEndian,
      })
      return new SqliteFollower({ ...parts, resources: resources.move() }, { kind: 'resumed' }, goingOn)
    }
    const state = resources.use(await holdState(probe, descriptors, begun, options.signal))
    const reason = resumed?.reason
    const held = { state, horizon, reads, capturedAt, reason, isOtherLog: reason === 'log-reset' }
    const { start, begin } = heldStart(held, (place, table) => stream(place, table, { fileMayBeAheadUntil: 0 }))
    return new SqliteFollower({ ...parts, resources: resources.move() }, start, begin)
  } catch (thrown) {
    throw explainError(thrown, probe)
  }
}

function notInWalMode(location: string): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNSUPPORTED',
    `${location} is not in WAL mode, so its commits cannot be followed.`,
    {
      object: location,
      hint: 'Switch it on with PRAGMA journal_mode = WAL; it stays on.',
    },
  )
}
