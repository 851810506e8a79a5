import { readMirror } from '../../repository/mirror-record.ts'
import { openStorage } from '../../storage/open-storage.ts'
import type { OperationOptions } from '../../storage/storage.ts'

/** What a mirror says of itself. */
export interface MirrorCompletion {
  /** All that the repository held then is there, in milliseconds since 1970; undefined: it was never complete. */
  readonly completeAt: number | undefined
}

/**
 * Whoever brought it up to date, from whichever machine, wrote it there.
 * @param to path or URL
 * @param repositoryId of the repository that it should be a mirror of
 * @returns undefined if there is no mirror of it
 * @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_*, ABORTED
 */
export async function readCompletion(
  to: string,
  repositoryId: string,
  options: OperationOptions,
): Promise<MirrorCompletion | undefined> {
  await using stack = new AsyncDisposableStack()
  const storage = stack.adopt(await openStorage(to), (opened) => opened.close())
  const record = await readMirror(storage, options)
  if (record?.repository.id !== repositoryId) return undefined
  return { completeAt: record.completeAt === null ? undefined : Date.parse(record.completeAt) }
}
