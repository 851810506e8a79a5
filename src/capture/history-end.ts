import { nextPosition } from '../backup/position.ts'
import { HoldfastError, hasCode } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { planRestore } from '../history/plan.ts'
import { latestPoint } from '../history/reachable.ts'
import type { StateChecksum } from '../history/state-checksum.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import { openChain } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { readPageHashes } from '../repository/page-hashes.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { PageHashTable } from './page-hash-table.ts'

/** A state at which a history ends, and from which it goes on. */
export interface HistoryEnd {
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
  readonly state: StateChecksum
  readonly pageCount: number
}

export interface KnownHistory {
  readonly end: HistoryEnd
  readonly pageSize: number
  readonly table: PageHashTable
}

export interface RepositoryEnd {
  /** Undefined if there is no state yet, or none that can be built on. */
  readonly known: KnownHistory | undefined
  /** The highest number that is taken, and the newest time, whether or not they can be built on. */
  readonly highest: Lsn
  readonly newestTime: number
  /** There is a history, and nothing can be built on it. */
  readonly damaged: boolean
  readonly warnings: readonly string[]
}

/** The newest state that somebody was promised, with the hash of every page, from indexes alone. */
export async function readRepositoryEnd(
  database: DatabaseRepository,
  catalog: Catalog,
  options: OperationOptions = {},
): Promise<RepositoryEnd> {
  const highest = toLsn(nextPosition(catalog, 0).lsn - 1)
  const newestTime = catalog.segments.reduce((newest, { lastTime }) => Math.max(newest, lastTime), 0)
  const warnings = catalog.problems.map(({ key, problem }) => `${key}: ${problem}`)
  const segments = acknowledgedSegments(catalog)
  const latest = latestPoint(segments)
  if (latest === undefined) return { known: undefined, highest, newestTime, damaged: false, warnings }
  try {
    const chain = await openChain(database, planRestore(segments, latest.lsn), options)
    const pages = await readPageHashes(chain, options)
    if (!pages.known) throw new HoldfastError('INTEGRITY', `The page hashes of LSN ${latest.lsn} are not known.`)
    const { pageSize, pageCount, state } = chain
    const known = {
      end: { lsn: latest.lsn, time: Math.max(latest.time, newestTime), state, pageCount },
      pageSize,
      table: new PageHashTable(pages.hashes),
    }
    return { known, highest, newestTime, damaged: false, warnings }
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'STORAGE_CORRUPT') && !(error instanceof UnreachableError)) throw error
    const warning = `The newest state, LSN ${latest.lsn}, cannot be built on, so everything is stored anew. ${error.message}`
    return { known: undefined, highest, newestTime, damaged: true, warnings: [...warnings, warning] }
  }
}
