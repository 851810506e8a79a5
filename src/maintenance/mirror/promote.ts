import { HoldfastError } from '../../errors.ts'
import { writeDocument } from '../../repository/documents.ts'
import { markerKey, mirrorKey, mirrorLeaseKey } from '../../repository/layout.ts'
import { Lease } from '../../repository/lease.ts'
import { readMirror } from '../../repository/mirror-record.ts'
import { Repository } from '../../repository/repository.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'

export interface PromoteOptions extends OperationOptions {
  /** Also if the first run to it never came to its end, so that only a part of the repository is there; default false. */
  readonly force?: boolean | undefined
}

/** A mirror that has become a repository of its own. */
export interface PromotedMirror {
  readonly id: string
  readonly url: string
  /** Where the repository was that it was a mirror of. */
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
  const { repository: marker } = await mirrorAt(storage, { signal })
  const place = { storage, name: storage.url, repository: marker, leaseKey: mirrorLeaseKey }
  const lease = await Lease.acquire(place, { purpose: 'promote', signal })
  let promoted: PromotedMirror
  try {
    const record = await mirrorAt(storage, { signal })
    if ((await storage.head(markerKey, { signal })) === undefined) {
      if (!force) throw unfinished(storage, record.source)
      await writeDocument(storage, 'repository', markerKey, record.repository, { signal })
    }
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

async function mirrorAt(storage: BackupStorage, options: OperationOptions) {
  const record = await readMirror(storage, options)
  if (record !== undefined) return record
  throw new HoldfastError('MIRROR', `The place ${storage.url} is no mirror, so it cannot be promoted.`, {
    object: storage.url,
    hint: 'If there is a repository, it is ready to use as it is.',
  })
}

function unfinished(storage: BackupStorage, source: string): HoldfastError {
  return new HoldfastError(
    'MIRROR',
    `The mirror at ${storage.url} was never finished: only a part of the repository at ${source} is there.`,
    {
      object: storage.url,
      hint: 'Run "holdfast mirror" to its end. If the repository is lost, --force makes a repository of that part.',
    },
  )
}
