/**
 * Backs up a database that this process follows. Its logs lead to every state already, so an incremental backup or a snapshot adds no
 * segment: it checks the database, finds out which LSN it has checked, and gives that a manifest. A full backup adds a base.
 */
import { hostname } from 'node:os'
import { backupId } from '../../backup/backup-id.ts'
import type { BackupResult } from '../../backup/backup-options.ts'
import { damagedDatabase } from '../../backup/damaged-database.ts'
import type { StoredBase } from '../../backup/examiner/engine-api.ts'
import { checkName } from '../../backup/identity.ts'
import { discardSegment, readBack } from '../../backup/store-segment.ts'
import { HoldfastError } from '../../errors.ts'
import { type Lsn, zeroLsn } from '../../history/lsn.ts'
import { isReachable, reachableLsns } from '../../history/reachable.ts'
import { formatState } from '../../history/state-checksum.ts'
import { usableSegments } from '../../history/usable-segments.ts'
import type { Catalog } from '../../repository/catalog.ts'
import { segmentKey } from '../../repository/layout.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import type { Inspection } from '../../source/source.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { abortable } from '../../util/abort.ts'
import { version } from '../../util/version.ts'
import type { HistoryEnd } from '../history-end.ts'
import type { Session } from '../session.ts'
import { type ExaminedState, examineState } from './examine-state.ts'
import type { FollowedBackupOptions, FollowedDatabase } from './followed-database.ts'

/**
 * @throws DATABASE_DAMAGED, NAME_TAKEN, USAGE, DATABASE_BUSY if it changes faster than it can be recognised, LEASE_*, STORAGE_*,
 * DISK_FULL, ENGINE_DIED, ABORTED
 */
export async function backUpFollowed(
  followed: FollowedDatabase,
  options: FollowedBackupOptions,
): Promise<BackupResult> {
  const startedAt = Date.now()
  const { session } = followed
  const { type, allowDamaged = false, signal, onProgress } = options
  onProgress?.({ phase: 'prepare', done: 0, total: undefined, unit: 'objects' })
  checkName(await session.database.catalog({ signal }), options)
  await using examined = await examineState(followed, options)
  const { inspection, state } = examined
  if (!inspection.validation.ok && !allowDamaged) throw damagedDatabase(session.source, inspection)
  const base = type === 'full' ? await baseOf(session, examined, options) : undefined
  // From here on nothing of the database is needed: it must not be held for as long as the repository stays away.
  const blockedMs = await examined.release()
  await abortable(session.uploader.whenDurable(state.lsn), signal)
  const manifest = manifestOf(session, options, { state, inspection, base, startedAt, pageSize: examined.pageSize })
  onProgress?.({ phase: 'commit', done: 0, total: 1, unit: 'objects' })
  await session.uploader.exclusively(async (lease) => {
    const catalog = await session.database.catalog({ signal })
    // Others may have been at work since: taken the name, or merged logs, so that their single commits are no more.
    checkName(catalog, options)
    requireRestorable(session, catalog, state, base)
    await lease.confirm()
    await session.database.putManifest(manifest)
    if (base !== undefined) lease.complete()
  }, signal)
  onProgress?.({ phase: 'commit', done: 1, total: 1, unit: 'objects' })
  return { metadata: manifest, warnings: [], durationMs: Date.now() - startedAt, writersBlockedMs: blockedMs }
}

/**
 * A base that was stored stays, also when this fails: what was written since may build on it already. Upkeep removes it, if nothing does.
 * @throws DATABASE_CHANGED
 */
function requireRestorable(
  { database }: Session,
  { segments }: Catalog,
  { lsn }: HistoryEnd,
  base: Base | undefined,
): void {
  // Pending, it is nobody's to delete; and a listing may lag.
  if (base?.isNew === true) return
  const isThere = base === undefined || segments.some(({ key }) => key === base.key)
  if (isThere && isReachable(reachableLsns(segments), lsn)) return
  throw new HoldfastError(
    'DATABASE_CHANGED',
    `LSN ${lsn}, which was checked, cannot be restored any more: it was merged with later commits meanwhile, or lost.`,
    { object: database.name, hint: 'Make the backup again.' },
  )
}

interface Base extends StoredBase {
  readonly isNew: boolean
}

/** One that is there already, as the first state of a capture is, or a new one. */
async function baseOf(session: Session, examined: ExaminedState, options: FollowedBackupOptions): Promise<Base> {
  const { database } = session
  const { state } = examined
  const { segments } = await database.catalog({ signal: options.signal })
  const info = segments.find(({ kind, to }) => kind === 'base' && to === state.lsn)
  if (info === undefined) return { ...(await storeBase(session, examined, options)), isNew: true }
  const totals = { pages: state.pageCount, rawBytes: state.pageCount * examined.pageSize, storedBytes: info.bytes }
  const { lsn: to, time: lastTime, state: endState, pageCount } = state
  await readBack(
    database,
    { info, end: { to, lastTime, endState, pageCount } },
    {
      signal: options.signal,
      onRead: (done, total) => options.onProgress?.({ phase: 'verify', done, total, unit: 'bytes' }),
    },
  )
  return { key: info.key, ...totals, state: formatState(endState), isNew: false }
}

async function storeBase(
  session: Session,
  { state, store }: ExaminedState,
  { codec, level, signal }: FollowedBackupOptions,
): Promise<StoredBase> {
  const { database, uploader, settings } = session
  const { lsn, time } = state
  const epoch = await uploader.exclusively(async (lease, currentEpoch) => {
    // Another follower may have taken this state: in an epoch of ours, the base would make void what that one stored.
    const epochOfState = await epochOf(session, lsn, { signal })
    const range = {
      kind: 'base',
      from: zeroLsn,
      to: lsn,
      epoch: epochOfState ?? currentEpoch,
      firstTime: time,
      lastTime: time,
    } as const
    await lease.claim(Math.max(lease.lsn, lsn), segmentKey(database.name, range))
    return range.epoch
  }, signal)
  const base = await store({ lsn, time, epoch, codec: codec ?? settings.codec, level: level ?? settings.level })
  if (base.state === formatState(state.state)) return base
  await discardSegment(database, base.key)
  throw new HoldfastError('DATABASE_CHANGED', `The state of LSN ${lsn} was read a second time, and was another.`, {
    object: database.name,
    hint: 'Check the disk. Nothing was kept of this backup.',
  })
}

/** Of the writer that took this state, which waits in the spool or is in the repository; see usable-segments.ts. */
async function epochOf({ database, spool }: Session, lsn: Lsn, options: OperationOptions): Promise<number | undefined> {
  // What leaves the spool meanwhile is in the listing that comes after.
  const waiting = spool.items.map(({ info }) => info)
  const { segments } = await database.catalog(options)
  const epochs = usableSegments([...segments, ...waiting]).flatMap(({ segment: { kind, from, epoch }, upTo }) => {
    const isIn = kind === 'log' ? from < lsn && lsn <= upTo : upTo === lsn
    return isIn ? [epoch] : []
  })
  return epochs.length === 0 ? undefined : Math.max(...epochs)
}

interface ManifestParts {
  readonly state: HistoryEnd
  readonly pageSize: number
  readonly inspection: Inspection
  readonly base: Base | undefined
  readonly startedAt: number
}

function manifestOf(
  { database, source, settings }: Session,
  { type, name, tags = {}, codec }: FollowedBackupOptions,
  { state, pageSize, inspection: { facts, validation }, base, startedAt }: ManifestParts,
): BackupManifest {
  const now = Date.now()
  const { pages = 0, rawBytes = 0, storedBytes = 0, key = null } = base ?? {}
  return {
    id: backupId(),
    database: database.name,
    type,
    lsn: state.lsn,
    parent: null,
    name: name ?? null,
    tags: { ...tags },
    pinned: type === 'snapshot',
    capturedAt: new Date(state.time).toISOString(),
    createdAt: new Date(now).toISOString(),
    durationMs: now - startedAt,
    host: hostname(),
    holdfastVersion: version,
    location: source.location,
    source: { ...facts, tables: [...facts.tables] },
    segment: key,
    segmentKind: base === undefined ? null : 'base',
    pages,
    codec: codec ?? settings.codec,
    databaseBytes: state.pageCount * pageSize,
    rawBytes,
    storedBytes,
    compressionRatio: storedBytes === 0 ? 1 : rawBytes / storedBytes,
    checksum: formatState(state.state),
    validation: { ...validation, findings: [...validation.findings] },
    damaged: !validation.ok,
  }
}
