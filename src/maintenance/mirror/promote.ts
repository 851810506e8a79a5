import { HoldfastError, hasCode } from '../../errors.ts'
import { writeDocument } from '../../repository/documents.ts'
import { markerKey, mirrorKey, mirrorLeaseKey } from '../../repository/layout.ts'
import { Lease } from '../../repository/lease.ts'
import { type MirrorRecord, readMirror } from '../../repository/mirror-record.ts'
import { Repository } from '../../repository/repository.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { repositoryAt } from './open-target.ts'

export interface PromoteOptions extends OperationOptions {
  /** Also if it was never complete, or nobody can tell, so that only a part of the repository may be there; default false. */
  readonly force?: boolean | undefined
}

/** A mirror that has become a repository of its own. */
export interface PromotedMirror {
  readonly id: string
  readonly url: string
  /** Where the repository was that it was a mirror of; `unknown` if its record was damaged. */
  readonly formerSource: string
  /** All that the repository held then is here, in milliseconds since 1970; undefined if it was never known to be. */
  readonly completeAt: number | undefined
  /** Names of the databases. */
  readonly databases: readonly string[]
}

/**
 * Makes a mirror a repository of its own, which can be written to and is mirrored to no more. From then on the two go their own ways.
 * @throws MIRROR if it is none, or only a part is there; LEASE_HELD while it is being mirrored to, INTEGRITY, STORAGE_*, ABORTED
 */
export async function promoteStorage(storage: BackupStorage, options: PromoteOptions = {}): Promise<PromotedMirror> {
  const { force = false, signal } = options
  const { repository: marker } = await mirrorAt(storage, force, { signal })
  const place = { storage, name: storage.url, repository: marker, leaseKey: mirrorLeaseKey }
  const lease = await Lease.acquire(place, { purpose: 'promote', signal })
  let promoted: PromotedMirror
  try {
    const record = await mirrorAt(storage, force, { signal })
    if (record.completeAt === null && !force) throw neverComplete(storage, record.source)
    if ((await repositoryAt(storage, { signal })) === undefined)
      await writeDocument(storage, 'repository', markerKey, record.repository, { signal })
    const repository = await Repository.open(storage, { signal })
    const { completeAt, source: formerSource } = record
    const databases = await repository.databaseNames({ signal })
    const time = completeAt === null ? undefined : Date.parse(completeAt)
    promoted = { id: repository.id, url: storage.url, formerSource, completeAt: time, databases }
    await lease.confirm()
    await storage.delete(mirrorKey, { signal })
  } finally {
    await lease[Symbol.asyncDispose]()
  }
  await storage.delete(mirrorLeaseKey, { signal })
  return promoted
}

type Promotable = Pick<MirrorRecord, 'repository' | 'source' | 'completeAt'>

async function mirrorAt(storage: BackupStorage, force: boolean, options: OperationOptions): Promise<Promotable> {
  let record: Promotable | undefined
  try {
    record = await readMirror(storage, options)
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY')) throw error
    if (!force) throw unknownMirror(storage, error)
    const { marker } = await Repository.open(storage, options)
    record = { repository: marker, source: 'unknown', completeAt: null }
  }
  if (record !== undefined) return record
  throw new HoldfastError('MIRROR', `The place ${storage.url} is no mirror, so it cannot be promoted.`, {
    object: storage.url,
    hint: 'If there is a repository, it is ready to use as it is.',
  })
}

function unknownMirror(storage: BackupStorage, cause: HoldfastError): HoldfastError {
  return new HoldfastError(
    'INTEGRITY',
    `The record of the mirror at ${storage.url} is damaged, so it cannot be told whether it was ever complete.`,
    {
      object: mirrorKey,
      cause,
      hint: 'Run "holdfast mirror", which writes it anew. If the repository is lost, --force makes a repository of what is there.',
    },
  )
}

function neverComplete(storage: BackupStorage, source: string): HoldfastError {
  return new HoldfastError(
    'MIRROR',
    `The mirror at ${storage.url} was never complete: it may hold only a part of the repository at ${source}.`,
    {
      object: storage.url,
      hint: 'Run "holdfast mirror" for all databases, until it says that it is up to date. If the repository is lost, --force makes a repository of what is there.',
    },
  )
}
