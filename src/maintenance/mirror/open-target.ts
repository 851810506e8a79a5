import { HoldfastError, hasCode } from '../../errors.ts'
import { KnownPlaces } from '../../repository/known-places.ts'
import { databasesPrefix, markerKey } from '../../repository/layout.ts'
import type { RepositoryMarker } from '../../repository/marker.ts'
import { type MirrorRecord, readMirror, writeMirror } from '../../repository/mirror-record.ts'
import { Repository } from '../../repository/repository.ts'
import { probeStorage } from '../../storage/probe.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { refuseNested } from './refuse-nested.ts'

/** A place to mirror to. */
export interface MirrorTarget {
  readonly storage: BackupStorage
  readonly record: MirrorRecord
  /** It holds `holdfast.json`: the first run has come to its end. */
  readonly isRepository: boolean
  /** Nothing was there. */
  readonly isNew: boolean
}

export interface OpenTargetOptions extends OperationOptions {
  readonly dryRun: boolean
  readonly now: number
  /** Also in an empty place where there was one before. */
  readonly begin: boolean
}

/**
 * Makes sure that a place may be mirrored to: an empty one, or a mirror of this very repository. An empty one is marked as a mirror before
 * anything else is written there.
 * @throws MIRROR for any other place, USAGE for a folder in that of the repository, or around it; INTEGRITY, FORMAT_TOO_NEW, DISK_FULL, STORAGE_*, ABORTED
 */
export async function openTarget(
  source: Repository,
  storage: BackupStorage,
  { dryRun, now, begin, ...options }: OpenTargetOptions,
): Promise<MirrorTarget> {
  await refuseNested(source.storage, storage)
  const marker = await repositoryAt(storage, options)
  const record = await readRecord(source, storage, marker, now, options)
  if (record !== undefined) {
    await refuseOther(source, storage, record, options)
    return { storage, record, isRepository: marker !== undefined, isNew: false }
  }
  if (marker !== undefined) throw notAMirror(source, storage, marker)
  for await (const _ of storage.list(databasesPrefix, options)) throw holdsBackups(storage)
  const known = new KnownPlaces()
  if (!begin && (await known.idAt(storage.url)) !== undefined) throw vanished(storage)
  const capabilities = dryRun ? storage.capabilities : await probeStorage(storage)
  const made: MirrorRecord = {
    repository: { ...source.marker, capabilities },
    source: source.url,
    begunAt: new Date(now).toISOString(),
    completeAt: null,
    absent: {},
  }
  if (!dryRun) {
    await writeMirror(storage, made, options)
    await known.note({ url: storage.url, id: source.id })
  }
  return { storage, record: made, isRepository: false, isNew: true }
}

/** What `holdfast.json` says; undefined if it is not there, or is damaged where there is a mirror. @throws INTEGRITY, STORAGE_* */
export async function repositoryAt(
  storage: BackupStorage,
  options: OperationOptions,
): Promise<RepositoryMarker | undefined> {
  if ((await storage.head(markerKey, options)) === undefined) return undefined
  try {
    return (await Repository.open(storage, options)).marker
  } catch (error) {
    // The mirror's own record holds all of it, so that it is written anew.
    if (hasCode(error, 'INTEGRITY') && (await isMirror(storage, options))) return undefined
    throw error
  }
}

async function isMirror(storage: BackupStorage, options: OperationOptions): Promise<boolean> {
  try {
    return (await readMirror(storage, options)) !== undefined
  } catch (error) {
    if (hasCode(error, 'INTEGRITY')) return false
    throw error
  }
}

/** One that is damaged is made anew: that the place is a mirror can still be seen. */
async function readRecord(
  source: Repository,
  storage: BackupStorage,
  marker: RepositoryMarker | undefined,
  now: number,
  options: OperationOptions,
): Promise<MirrorRecord | undefined> {
  try {
    return await readMirror(storage, options)
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY') || marker === undefined) throw error
    const begunAt = new Date(now).toISOString()
    return { repository: marker, source: source.url, begunAt, completeAt: null, absent: {} }
  }
}

/** @throws MIRROR */
async function refuseOther(
  source: Repository,
  storage: BackupStorage,
  { repository, source: known }: MirrorRecord,
  options: OperationOptions,
): Promise<void> {
  if (repository.id !== source.id) {
    throw new HoldfastError(
      'MIRROR',
      `The place ${storage.url} is a mirror of another repository: ${known}, id ${repository.id}; that at ${source.url} has the id ${source.id}.`,
      { object: storage.url, hint: 'Give each repository a mirror of its own.' },
    )
  }
  // A mirror of a mirror is behind it: it must not become the source of what it was made from.
  if (known === source.url || (await readMirror(source.storage, options)) === undefined) return
  throw new HoldfastError(
    'MIRROR',
    `The place ${storage.url} is a mirror of ${known}, and ${source.url} is itself only a mirror.`,
    {
      object: storage.url,
      hint: `Mirror from ${known}; or, if that is lost, promote one of the two and mirror from it.`,
    },
  )
}

function notAMirror(source: Repository, storage: BackupStorage, marker: RepositoryMarker): HoldfastError {
  const same = marker.id === source.id
  const message = same
    ? `The place ${storage.url} is this repository itself, or was promoted from a mirror of it: it is no mirror.`
    : `The place ${storage.url} is a repository of its own, no mirror.`
  return new HoldfastError('MIRROR', message, {
    object: storage.url,
    hint: 'Nothing was changed there. Mirror to an empty place.',
  })
}

function vanished(storage: BackupStorage): HoldfastError {
  return new HoldfastError('MIRROR', `There is nothing at ${storage.url}, where a mirror was before.`, {
    object: storage.url,
    hint: 'If it is on a disk that is not mounted, mount that. To begin a new mirror in its place, say --begin.',
  })
}

function holdsBackups(storage: BackupStorage): HoldfastError {
  return new HoldfastError('MIRROR', `The place ${storage.url} holds backups, and is no mirror.`, {
    object: storage.url,
    hint: 'Nothing was changed there. Mirror to an empty place.',
  })
}
