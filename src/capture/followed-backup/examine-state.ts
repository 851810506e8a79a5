import type { BasePlace, OpenedState, StoredBase } from '../../backup/examiner/engine-api.ts'
import { startExaminer } from '../../backup/examiner/examiner.ts'
import { storeBase } from '../../backup/examiner/store-base.ts'
import { linkStorage } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { formatState } from '../../history/state-checksum.ts'
import type { Inspection } from '../../source/source.ts'
import type { HistoryEnd } from '../history-end.ts'
import type { FollowedBackupOptions, FollowedDatabase } from './followed-database.ts'

/** A state that another process holds still, and which one of the history it is. */
export interface ExaminedState extends AsyncDisposable {
  readonly state: HistoryEnd
  readonly pageSize: number
  readonly inspection: Inspection
  /** Stores all of it as a base. */
  readonly store: (place: Omit<BasePlace, 'storage' | 'database'>) => Promise<StoredBase>
  /** Lets the database go. @returns how long writers had to wait, in milliseconds; 0 where there is a log */
  readonly release: () => Promise<number>
}

/** A database that heals or is replaced at the wrong moment is looked at again. */
const attempts = 3

/** @throws DATABASE_BUSY, DISK_FULL if the spool can keep nothing at present, and as of the follower, the inspection and the storage */
export async function examineState(followed: FollowedDatabase, options: FollowedBackupOptions): Promise<ExaminedState> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const examined = (await holdAndExamine(followed, options)) ?? (await tryToExamine(followed, options))
    if (examined !== undefined) return examined
  }
  const { location } = followed.session.source
  throw new HoldfastError('DATABASE_BUSY', `No state of ${location} could be recognised as one that was followed.`, {
    object: location,
    hint: 'Look at what the follower says: it may have lost continuity just now. Then try again.',
  })
}

/** Where readers make writers wait, the state that is held and examined is the one that the follower has taken from it. */
async function holdAndExamine(
  followed: FollowedDatabase,
  options: FollowedBackupOptions,
): Promise<ExaminedState | undefined> {
  const { database } = followed.session
  const { validation = 'quick', rowCounts = true, busyTimeoutMs, signal, onProgress } = options
  const openedAt = Date.now()
  const held = await followed.hold({ busyTimeoutMs, signal })
  if (held === undefined) return undefined
  const { state, snapshot } = held
  await using stack = new AsyncDisposableStack()
  stack.use(snapshot)
  onProgress?.({ phase: 'validate', done: 0, total: undefined, unit: 'objects' })
  const inspection = await snapshot.inspect({ validation, rowCounts, signal })
  const kept = stack.move()
  return {
    state,
    pageSize: snapshot.pageSize,
    inspection,
    store: (place) => storeBase(snapshot, database, place, { signal, report: (at) => onProgress?.(at) }),
    release: async () => {
      await kept.disposeAsync()
      return Date.now() - openedAt
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/**
 * If nothing is committed from before the state is taken until after, it is the newest one. Otherwise every page is read: the state
 * checksum tells which of the states it is that were followed meanwhile.
 */
async function tryToExamine(
  followed: FollowedDatabase,
  options: FollowedBackupOptions,
): Promise<ExaminedState | undefined> {
  const { session } = followed
  const { validation = 'quick', rowCounts = true, busyTimeoutMs, signal, onProgress } = options
  await using stack = new AsyncDisposableStack()
  const link = stack.use(await linkStorage(session.database.repository.storage))
  const examiner = stack.use(startExaminer(link))
  await followed.keep({ signal })
  const before = followed.end()
  using watch = session.states.begin(before)
  const opened = await examiner.call('open', { path: session.source.location, busyTimeoutMs }, { signal })
  // It has lost its log just now: see above.
  if (opened.blocksWriters) return undefined
  const inspecting = examiner.call('inspect', { validation, rowCounts }, { signal })
  inspecting.catch(() => {})
  await followed.keep({ signal })
  const isQuiet = watch.states.length === 1 && followed.end().lsn === before.lsn
  const state = isQuiet ? before : await recognise()
  onProgress?.({ phase: 'validate', done: 0, total: undefined, unit: 'objects' })
  const inspection = await inspecting
  if (state === undefined) return undefined
  const kept = stack.move()
  return {
    state,
    pageSize: opened.pageSize,
    inspection,
    store: async (place) =>
      await examiner.call(
        'storeBase',
        { ...place, storage: link.address, database: session.database.name },
        { signal, onEvent: onProgress },
      ),
    release: async () => {
      await kept.disposeAsync()
      return 0
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }

  async function recognise(): Promise<HistoryEnd | undefined> {
    // What comes from now on is newer than the state that is held.
    const candidates = watch.states.slice()
    const hash = await examiner.call('hash', undefined, { signal, onEvent: onProgress })
    return candidates.find((candidate) => matches(candidate, hash, opened))
  }
}

function matches({ state, pageCount }: HistoryEnd, hash: string, opened: OpenedState): boolean {
  return formatState(state) === hash && pageCount === opened.pageCount
}
