import { HoldfastError, hasCode } from '../errors.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { OperationOptions } from '../storage/storage.ts'

/** A segment can be replaced again while its replacement is read; more often than this it is no compaction. */
const listings = 3

/**
 * Works on a listing of the repository. When a segment vanishes meanwhile, as it does when it is merged into another, the
 * repository is listed again and the work begun anew; the last time, what is missing counts as damage.
 * @param work gets the catalog, and whether it may be called again; then it throws what vanished as it is
 */
export async function listAgain<T>(
  database: DatabaseRepository,
  options: OperationOptions,
  work: (catalog: Catalog, mayListAgain: boolean) => Promise<T>,
): Promise<T> {
  for (let left = listings - 1; ; left -= 1) {
    const catalog = await database.catalog(options)
    try {
      return await work(catalog, left > 0)
    } catch (error) {
      if (left === 0 || vanishedSegment(error, catalog) === undefined) throw error
    }
  }
}

/** The damage that it is if a segment of this catalog is not there; undefined for any other failure. */
export function vanishedSegment(error: unknown, catalog: Catalog): HoldfastError | undefined {
  if (!hasCode(error, 'OBJECT_NOT_FOUND', 'INTEGRITY')) return undefined
  if (!catalog.segments.some(({ key }) => key === error.object)) return undefined
  if (error.code === 'INTEGRITY') return hasCode(error.cause, 'OBJECT_NOT_FOUND') ? error : undefined
  return new HoldfastError('INTEGRITY', `The segment ${error.object} is missing from the repository.`, {
    object: error.object,
    cause: error,
    hint: 'Run "holdfast verify" to see which backups need it.',
  })
}
