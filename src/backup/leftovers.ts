/** What backups that were interrupted before their manifest left behind. */
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { discardSegment } from './store-segment.ts'

/**
 * Removes segments that no backup and no log leads through. Only with the lease in hand, from a catalog read since, and where
 * listings do not lag: then nobody else can be about to name them.
 */
export async function removeLeftovers(database: DatabaseRepository, catalog: Catalog): Promise<void> {
  if (!database.repository.capabilities.consistentList) return
  const needed = new Set(acknowledgedSegments(catalog))
  for (const segment of catalog.segments) {
    if (needed.has(segment) || segment.kind === 'log') continue
    await discardSegment(database, segment.key)
  }
}
