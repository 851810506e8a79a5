/**
 * A source that was set back, say to an older copy of its disk, and written to since, tells another story of the same LSNs. On a mirror
 * that holds both stories, neither can be relied on.
 */
import { hasCode } from '../../errors.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { usableSegments } from '../../history/usable-segments.ts'
import { acknowledgedSegments } from '../../repository/acknowledged.ts'
import { parseSegmentKey } from '../../repository/layout.ts'
import { openStoredSegment } from '../../repository/open-segment.ts'
import { readCatalog } from '../../repository/read-catalog.ts'
import type { RetentionRecord } from '../../repository/retention-record.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { nextAbsent } from './absent-objects.ts'
import type { CopyPlan } from './plan-copies.ts'
import type { DatabaseRun } from './run-context.ts'

/**
 * An LSN of which the mirror, with what the source lost, and the source, with what is new there, hold different states; undefined if they
 * agree. What the source deleted on purpose does not count, nor what an interrupted backup left, nor what each side by itself makes void:
 * that a writer stored which had lost its lease.
 * @param sourceSegments all that the source lists
 * @throws STORAGE_*, ABORTED
 */
export async function contradictoryLsn(
  run: DatabaseRun,
  { absent, segments }: Pick<CopyPlan, 'absent' | 'segments'>,
  sourceSegments: readonly SegmentInfo[],
  readRecords: () => Promise<readonly RetentionRecord[]>,
): Promise<number | undefined> {
  const lost = absent.flatMap((object) => (run.absent[object.key]?.deleted ? [] : (parseSegmentKey(object) ?? [])))
  const pairs = lost.flatMap((old) => segments.filter((fresh) => share(old, fresh)).map((fresh) => ({ old, fresh })))
  if (pairs.length === 0) return undefined
  const { sides, options, settings } = run
  const entries = nextAbsent(run.absent, absent, await readRecords(), settings.now)
  const catalog = await readCatalog(sides.mirror.storage, run.source.name, options)
  const promised = new Set(acknowledgedSegments(catalog).map(({ key }) => key))
  const counted = pairs.filter(({ old: { key } }) => promised.has(key) && entries[key]?.deleted !== true)
  const [here, there] = [endsByKey(catalog.segments), endsByKey(sourceSegments)]
  for (const [old, several] of Map.groupBy(counted, (pair) => pair.old)) {
    const upTo = here.get(old.key)
    if (upTo === undefined) continue
    const known = await statesOf(sides.mirror.storage, old, upTo, options)
    for (const { fresh } of several)
      for (const [lsn, state] of await statesOf(sides.source.storage, fresh, there.get(fresh.key) ?? 0, options))
        if ((known.get(lsn) ?? state) !== state) return lsn
  }
  return undefined
}

/** Up to which LSN each segment that is not void counts. */
function endsByKey(segments: readonly SegmentInfo[]): ReadonlyMap<string, number> {
  return new Map(usableSegments(segments).map(({ segment: { key }, upTo }) => [key, upTo]))
}

/** Whether there may be an LSN whose state both tell. */
function share(a: SegmentInfo, b: SegmentInfo): boolean {
  if (a.kind === 'log' && b.kind === 'log') return a.from <= b.to && b.from <= a.to
  return [a.from, a.to].some((lsn) => tells(b, lsn)) || [b.from, b.to].some((lsn) => tells(a, lsn))
}

function tells({ kind, from, to }: SegmentInfo, lsn: number): boolean {
  if (lsn === 0) return false
  return kind === 'log' ? lsn >= from && lsn <= to : lsn === from || lsn === to
}

/** The states up to an LSN that a segment leads to and from. What cannot be read tells nothing. */
async function statesOf(
  storage: BackupStorage,
  segment: SegmentInfo,
  upTo: number,
  options: OperationOptions,
): Promise<ReadonlyMap<number, bigint>> {
  try {
    const reader = await openStoredSegment(storage, segment, options)
    const { header, end } = reader
    const states = new Map<number, bigint>()
    const set = (lsn: number, state: bigint): void => void (lsn <= upTo && states.set(lsn, state))
    set(header.from, header.startState)
    set(end.to, end.endState)
    for await (const { lsn, state } of reader.commits(options)) set(lsn, state)
    return states
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT', 'OBJECT_NOT_FOUND')) throw error
    return new Map()
  }
}
