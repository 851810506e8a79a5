import { join } from 'node:path'
import { recordToWrite } from '../backup/identity.ts'
import { type HoldfastError, toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import { formatState } from '../history/state-checksum.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { openSegment } from '../segment/read-segment.ts'
import type { FollowPosition } from '../source/follower.ts'
import { endOf } from './batch-writer.ts'
import type { FollowedSource, FollowOptions, FollowSettings } from './follow-options.ts'
import { GivenUpFile } from './given-up-file.ts'
import { type KnownHistory, readRepositoryEnd } from './history-end.ts'
import { isNoLogPosition } from './no-log-position.ts'
import { PositionFile, type SavedPosition } from './position-file.ts'
import { Requests } from './requests.ts'
import { abandonSpool } from './spool/abandon-spool.ts'
import type { OpenSegmentPlace } from './spool/open-segment.ts'
import { asideFolder, recoverSpool } from './spool/recover-spool.ts'
import { Spool } from './spool/spool.ts'
import { type SpoolItem, spooledInput } from './spool/spool-item.ts'
import { StateWatch } from './state-watch.ts'
import type { LeaseKeeper } from './upload/lease-keeper.ts'
import { Uploader } from './upload/uploader.ts'

/** What a capture works with, and where the history stands at its start. */
export interface Session {
  readonly source: FollowedSource
  readonly database: DatabaseRepository
  readonly lease: LeaseKeeper
  readonly settings: FollowSettings
  readonly place: OpenSegmentPlace
  readonly spool: Spool
  readonly position: PositionFile
  readonly givenUpFile: GivenUpFile
  readonly uploader: Uploader
  readonly requests: Requests
  readonly states: StateWatch
  /** The newest state, in the repository or in the spool; undefined if there is none to build on. */
  readonly known: KnownHistory | undefined
  /** What numbers and times are taken, whether or not they can be built on. */
  readonly highest: { readonly lsn: Lsn; readonly time: number }
  /** Where the follower stood at exactly that state, if that is known. */
  readonly resumeAt: FollowPosition | undefined
  /** Until when it is known to have stood there, in milliseconds since 1970; undefined if only by the state's own time. */
  readonly lookedAt: number | undefined
  /** The capture before was stopped in order. */
  readonly clean: boolean
  /** Something that waited in the spool could not be used. */
  readonly spoolLost: boolean
  /** The capture before let commits after that state go by, since the spool could not take them. */
  readonly gaveUp: boolean
  /** A capture ran before, on this machine or another. */
  readonly wasFollowed: boolean
  /** There is a history that cannot be built on. */
  readonly damaged: boolean
  /**
   * After the spool broke: empties it. @returns the newest state that the repository has, to go on from; undefined if none of it
   * can be built on @throws STORAGE_*, ABORTED
   */
  readonly startOver: (signal: AbortSignal | undefined) => Promise<KnownHistory | undefined>
  /** To be called once the first state is in the repository. */
  readonly putRecord: () => Promise<void>
}

/** Reads the repository's end, recovers the spool, and finds the position that belongs to the newest state. */
export async function openSession(
  source: FollowedSource,
  database: DatabaseRepository,
  lease: LeaseKeeper,
  folder: string,
  options: FollowOptions,
  settings: FollowSettings,
  onFailure: (error: HoldfastError) => void,
): Promise<Session> {
  const { signal } = options
  const { files, onEvent } = settings
  const warn = (message: string): void => onEvent({ kind: 'warning', message })
  const catalog = await database.catalog({ signal })
  const position = new PositionFile(files, folder)
  const saved = await position.read(warn)
  const record = await recordToWrite(source, database, catalog, { ...options, isKnownHere: saved !== undefined })
  const repositoryEnd = await readRepositoryEnd(database, catalog, { signal })
  repositoryEnd.warnings.forEach(warn)
  const place = { files, folder: join(folder, 'spool'), database: database.name, level: settings.level }
  await files.makeFolder(place.folder)
  const givenUpFile = new GivenUpFile(files, folder)
  const givenUpAfter = await givenUpFile.read()
  const { known } = repositoryEnd
  const newest = known === undefined ? undefined : { ...known.end, pageSize: known.pageSize }
  const { segments } = catalog
  const recovered = await recoverSpool({ ...place, asideFolder: asideFolder(folder), segments, newest })
  await lease.seen([...segments, ...recovered.items.map(({ info }) => info)])
  recovered.warnings.forEach(warn)
  const spool = new Spool(place.folder, files, recovered.items)
  const extended = await extend(known, recovered.items, place)
  const last = recovered.items.at(-1) ?? recovered.stored.at(-1)
  const spooled = last === undefined ? undefined : { lsn: last.info.to, position: last.position, clean: false }
  const standing = newer(spooled, saved)
  if (recovered.stored.length > 0) {
    if (recovered.items.length === 0 && standing !== undefined && standing !== saved) await position.write(standing)
    for (const { path } of recovered.stored) await files.remove(path)
  }
  const isThere = standing !== undefined && extended !== undefined && standsAt(standing, extended)
  const durable = known?.end.lsn ?? repositoryEnd.highest
  const requests = new Requests()
  const onBroken = () => requests.wake()
  const durableTime = known?.end.time ?? repositoryEnd.newestTime
  const uploading = { database, spool, lease, position, settings, durable, durableTime, onBroken, onFailure }
  const uploader = new Uploader(uploading)
  return {
    source,
    database,
    lease,
    settings,
    place,
    spool,
    position,
    givenUpFile,
    uploader,
    requests,
    states: new StateWatch(),
    known: extended,
    highest: {
      lsn:
        extended !== undefined && extended.end.lsn > repositoryEnd.highest ? extended.end.lsn : repositoryEnd.highest,
      time: Math.max(repositoryEnd.newestTime, extended?.end.time ?? 0),
    },
    resumeAt: isThere ? standing?.position : undefined,
    lookedAt: isThere ? standing?.lookedAt : undefined,
    clean: standing?.clean ?? false,
    spoolLost: recovered.lost,
    gaveUp: givenUpAfter !== undefined && extended !== undefined && givenUpAfter >= extended.end.lsn,
    wasFollowed: standing !== undefined || catalog.gaps.length > 0 || segments.some(({ kind }) => kind === 'log'),
    damaged: repositoryEnd.damaged,
    startOver: async (stopSignal) => {
      const present = await database.catalog({ signal: stopSignal })
      const end = await readRepositoryEnd(database, present, { signal: stopSignal })
      end.warnings.forEach(warn)
      uploader.startOver()
      const left = await abandonSpool(spool)
      left.forEach(warn)
      return end.known
    },
    putRecord: async () => {
      if (record === undefined) return
      const createdAt = new Date(settings.clock.now()).toISOString()
      const body = { name: database.name, kind: source.kind, location: source.location, createdAt }
      await database.putRecord(body, { replace: record === 'again', signal })
    },
  }
}

/** Of equal ones the saved: it was written later. */
function newer(spooled: SavedPosition | undefined, saved: SavedPosition | undefined): SavedPosition | undefined {
  if (spooled === undefined || saved === undefined) return spooled ?? saved
  return spooled.lsn > saved.lsn ? spooled : saved
}

function standsAt({ lsn, position }: SavedPosition, { end }: KnownHistory): boolean {
  return lsn === end.lsn && (isNoLogPosition(position) || position.state === formatState(end.state))
}

/** The history with what waits in the spool. */
async function extend(
  known: KnownHistory | undefined,
  items: readonly SpoolItem[],
  { files }: OpenSegmentPlace,
): Promise<KnownHistory | undefined> {
  if (known === undefined) return undefined
  const { table } = known
  let { end } = known
  for (const item of items) {
    try {
      const reader = await openSegment(spooledInput(files, item.path, item.info.bytes), { object: item.path })
      table.resize(item.pageCount)
      for await (const { pages, hashes } of reader.pageTable()) table.set(pages, hashes)
    } catch (thrown) {
      throw toHoldfastError(thrown, item.path)
    }
    end = { ...endOf(item), time: Math.max(end.time, item.info.lastTime) }
  }
  return { ...known, end }
}
