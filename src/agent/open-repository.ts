import type { StorageLink } from '../engine/storage-link.ts'
import { HoldfastError, hasCode } from '../errors.ts'
import { openKnown } from '../repository/known-places.ts'
import { refuseMirror } from '../repository/mirror-record.ts'
import type { Repository } from '../repository/repository.ts'
import { removeProbeLeftovers } from '../storage/probe-leftovers.ts'
import { abortable } from '../util/abort.ts'

/** The repository that an agent writes to: no mirror, and none that is not mounted. @throws REPOSITORY_NOT_FOUND, MIRROR, FORMAT_TOO_NEW, STORAGE_* */
export async function openRepository(link: StorageLink, signal: AbortSignal | undefined): Promise<Repository> {
  try {
    const repository = await abortable(openKnown(link.storage, { signal }), signal)
    await refuseMirror(link.storage, { signal })
    await abortable(removeProbeLeftovers(link.storage, Date.now(), { signal }), signal)
    return repository
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_NOT_FOUND')) throw error
    throw new HoldfastError(error.code, error.message, {
      object: error.object,
      cause: error,
      hint: 'Make it first: "holdfast init". If it is on a disk that is not mounted, mount that.',
    })
  }
}
