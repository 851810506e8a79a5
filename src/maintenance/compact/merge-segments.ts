import { randomBytes } from 'node:crypto'
import { discardSegment, keyOf, readBack, type StoredSegment, storeSegment } from '../../backup/store-segment.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import { type Plan, planRestore } from '../../history/plan.ts'
import type { Merge } from '../../history/retention.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { openChain } from '../../repository/chain.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { readPageHashes } from '../../repository/page-hashes.ts'
import { findDamage } from '../../segment/damage-report.ts'
import type { RecordBatch, SegmentEnd, SegmentHeader } from '../../segment/segment.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import { mergedRecords } from './merged-records.ts'
import { openRun, type RunPart } from './run-part.ts'

export interface MergeSegmentsOptions extends OperationOptions {
  readonly level?: number | undefined
  /** Bytes of pages that are held at once; default 16 MiB. */
  readonly heldBytes?: number | undefined
  /** Bytes given to the storage so far. */
  readonly onStored?: ((bytes: number) => void) | undefined
}

/**
 * Publishes the segment that a merge asks for, reads it back and proves that it leads to the state that its parts lead to. What it was
 * made of stays. Memory is bounded, but for an index of twelve bytes a page that changes.
 *
 * @param segments everything there is, for the way to the state before the merge
 * @throws INTEGRITY if the parts do not follow one another by content, or one is damaged; STORAGE_*, DISK_FULL, ABORTED
 */
export async function mergeSegments(
  database: DatabaseRepository,
  merge: Merge,
  segments: readonly SegmentInfo[],
  options: MergeSegmentsOptions = {},
): Promise<SegmentInfo> {
  const { signal, heldBytes } = options
  const parts = await openRun(database, merge.steps, { signal })
  const header = headerOf(merge, parts)
  const end = endOf(merge, parts)
  const before = () => openRun(database, stepsTo(planRestore(segments, merge.from)), { signal })
  const records = mergedRecords(parts, { isBase: merge.kind === 'base', before, heldBytes, signal })
  const stored = await store(database, header, end, records, options)
  try {
    await readBack(database, stored, { signal, onRead: () => {} })
    await prove(database, stored, segments, { signal })
  } catch (error) {
    await discardSegment(database, stored.info.key)
    throw error
  }
  return stored.info
}

function headerOf(merge: Merge, parts: readonly RunPart[]): SegmentHeader {
  const [first] = parts
  if (first === undefined) throw new RangeError('There is nothing to merge.')
  return {
    ...first.reader.header,
    kind: merge.kind,
    from: merge.from,
    epoch: Math.max(...merge.steps.map(({ segment }) => segment.epoch)),
    firstTime: first.firstTime,
    startState: first.startState,
    salt: randomBytes(16),
  }
}

function endOf({ to }: Merge, parts: readonly RunPart[]): SegmentEnd {
  const last = parts.at(-1)
  if (last === undefined) throw new RangeError('There is nothing to merge.')
  return { to, lastTime: last.end.time, endState: last.end.state, pageCount: last.end.pageCount }
}

function stepsTo({ steps }: Plan): Merge['steps'] {
  return steps.map(({ segment, upTo }) => ({ segment, from: segment.from, upTo }))
}

async function store(
  database: DatabaseRepository,
  header: SegmentHeader,
  end: SegmentEnd,
  records: AsyncIterable<RecordBatch>,
  { level, signal, onStored = () => {} }: MergeSegmentsOptions,
): Promise<StoredSegment> {
  try {
    return await storeSegment(database, header, end, records, () => end, { level, signal, onStored })
  } catch (error) {
    if (!hasCode(error, 'OBJECT_EXISTS')) throw error
    return await found(database, header, end, { signal })
  }
}

/** An earlier run may have stored it and not come to hear of that; each writes other bytes, for the same content. */
async function found(
  database: DatabaseRepository,
  header: SegmentHeader,
  end: SegmentEnd,
  options: OperationOptions,
): Promise<StoredSegment> {
  const { kind, from, epoch, firstTime } = header
  const { to, lastTime } = end
  const key = keyOf(database, header, end)
  const bytes = (await database.storage.head(key, options))?.size ?? 0
  const info: SegmentInfo = { kind, from, to, epoch, firstTime, lastTime, bytes, key }
  const reader = await database.openSegment(info, options)
  const [damage] = await findDamage(reader.checkContents(options))
  if (damage !== undefined) throw new HoldfastError('STORAGE_CORRUPT', damage.message, { object: key })
  return { info, end, totals: reader.totals }
}

/** From the state before it, the hashes of all pages must add up to the state at its end, as far as indexes tell the state before. */
async function prove(
  database: DatabaseRepository,
  { info, end }: StoredSegment,
  segments: readonly SegmentInfo[],
  options: OperationOptions,
): Promise<void> {
  const { steps } = planRestore(segments, info.from)
  const plan: Plan = { target: info.to, steps: [...steps, { segment: info, upTo: info.to }], cost: 0 }
  const chain = await openChain(database, plan, options)
  if (chain.state !== end.endState)
    throw new HoldfastError('INTEGRITY', `The merged segment ${info.key} leads to another state than its parts.`, {
      object: info.key,
    })
  await readPageHashes(chain, options)
}
