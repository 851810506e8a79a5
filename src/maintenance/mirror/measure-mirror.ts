import type { SegmentInfo } from '../../history/segment-info.ts'
import { usableSegments } from '../../history/usable-segments.ts'
import { readMirror } from '../../repository/mirror-record.ts'
import type { Repository } from '../../repository/repository.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { isDatabase, listByDatabase } from './listed-databases.ts'
import { segmentsOf } from './listings.ts'
import type { Listed } from './object-kind.ts'
import { planCopies } from './plan-copies.ts'

/** What a mirror has yet to get. */
export interface MirrorLag {
  readonly objects: number
  readonly bytes: number
  /** From the newest state on the mirror to the newest in the repository. */
  readonly lsns: number
}

export interface MirrorState {
  /** When all of the repository was last known to be there, in milliseconds since 1970; undefined: never yet. */
  readonly completeAt: number | undefined
  /** Of the databases that are behind. */
  readonly behind: readonly (MirrorLag & { readonly database: string })[]
}

export interface MeasureOptions extends OperationOptions {
  /** Names of databases; default: all of the repository. */
  readonly databases?: readonly string[] | undefined
}

/**
 * How far a mirror is behind its repository, by one listing of each: nothing is read, so damage is not noticed.
 * @returns undefined if the place is no mirror, or one of another repository
 * @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_*, ABORTED
 */
export async function measureMirror(
  source: Repository,
  mirror: BackupStorage,
  { databases, ...options }: MeasureOptions = {},
): Promise<MirrorState | undefined> {
  const record = await readMirror(mirror, options)
  if (record?.repository.id !== source.id) return undefined
  const there = await listByDatabase(mirror, options)
  const here = await listByDatabase(source.storage, options)
  const behind = [...here].flatMap(([database, objects]) => {
    if (!isDatabase(database, objects) || databases?.includes(database) === false) return []
    const lag = lagOf(database, objects, there.get(database) ?? [])
    return lag.objects === 0 ? [] : [{ database, ...lag }]
  })
  return { completeAt: record.completeAt === null ? undefined : Date.parse(record.completeAt), behind }
}

function lagOf(database: string, source: readonly Listed[], mirror: readonly Listed[]): MirrorLag {
  const { gaps, segments, records, manifests, differing } = planCopies(database, source, mirror)
  const documents = [...gaps, ...records, ...manifests, ...differing.map((each) => each.source)]
  const sizes = [...segments.map(({ bytes }) => bytes), ...documents.map(({ size }) => size)]
  return {
    objects: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    lsns: Math.max(0, newestLsn(segmentsOf(database, source)) - newestLsn(segmentsOf(database, mirror))),
  }
}

function newestLsn(segments: readonly SegmentInfo[]): number {
  return usableSegments(segments).reduce((newest, { upTo }) => Math.max(newest, upTo), 0)
}
