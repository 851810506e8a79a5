import { HoldfastError } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { markerKey } from './layout.ts'

/**
 * Whether a repository that was there is there still. An empty listing alone does not tell: where a disk is not mounted, its folder is empty too.
 * @throws REPOSITORY_NOT_FOUND, STORAGE_*, ABORTED
 */
export async function requireMarker(
  storage: Pick<BackupStorage, 'url' | 'head'>,
  options: OperationOptions = {},
): Promise<void> {
  if ((await storage.head(markerKey, options)) !== undefined) return
  throw new HoldfastError(
    'REPOSITORY_NOT_FOUND',
    `The repository at ${storage.url} is gone: its ${markerKey} is missing.`,
    {
      object: storage.url,
      hint: 'Mount its disk, or bring it back to where it was.',
    },
  )
}
