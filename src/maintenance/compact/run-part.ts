/** The parts of a merge, opened and proved to follow one another by content. */
import { HoldfastError } from '../../errors.ts'
import type { MergeStep } from '../../history/retention.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { formatState, type StateChecksum } from '../../history/state-checksum.ts'
import type { StateFacts } from '../../repository/chain.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { SegmentReader } from '../../segment/read-segment.ts'
import type { OperationOptions } from '../../storage/storage.ts'

export interface RunPart {
  readonly segment: SegmentInfo
  readonly reader: SegmentReader
  readonly startState: StateChecksum
  /** When the first commit of this part was seen, in milliseconds since 1970. */
  readonly firstTime: number
  readonly end: StateFacts
  /** Records before this part, and of it. */
  readonly skip: number
  readonly records: number
  /** Its index tells the hashes at its end. */
  readonly isToEnd: boolean
}

/** A run can have hundreds of segments; so many are opened at once. */
const opensAtOnce = 8

/** @throws INTEGRITY if a part is missing, damaged, or does not begin at the state where the one before it ends */
export async function openRun(
  database: DatabaseRepository,
  steps: readonly MergeStep[],
  options: OperationOptions = {},
): Promise<RunPart[]> {
  const parts: RunPart[] = []
  for (let start = 0; start < steps.length; start += opensAtOnce)
    parts.push(
      ...(await Promise.all(steps.slice(start, start + opensAtOnce).map((step) => openPart(database, step, options)))),
    )
  parts.forEach((part, at) => {
    const before = parts[at - 1]
    if (before !== undefined) assertFollows(before, part)
  })
  return parts
}

async function openPart(
  database: DatabaseRepository,
  { segment, from, upTo }: MergeStep,
  options: OperationOptions,
): Promise<RunPart> {
  const reader = await database.openSegment(segment, options)
  const { header, end, totals } = reader
  const isToEnd = upTo === end.to
  const whole: RunPart = {
    segment,
    reader,
    startState: header.startState,
    firstTime: header.firstTime,
    end: { pageCount: end.pageCount, state: end.endState, time: end.lastTime },
    skip: 0,
    records: totals.records,
    isToEnd,
  }
  if (isToEnd && from === header.from) return whole
  let start: Pick<RunPart, 'skip' | 'startState' | 'firstTime'> | undefined
  let records = 0
  let lsn: number = header.from
  let state = header.startState
  for await (const commit of reader.commits(options)) {
    if (lsn === from) start = { skip: records, startState: state, firstTime: commit.time }
    records += commit.records
    lsn = commit.lsn
    state = commit.state
    if (lsn < upTo) continue
    if (lsn > upTo || start === undefined) break
    const end = { pageCount: commit.pageCount, state, time: commit.time }
    return { ...whole, ...start, records: records - start.skip, end }
  }
  throw new HoldfastError(
    'INTEGRITY',
    `The log ${segment.key} does not have the commits from LSN ${from} to ${upTo}.`,
    {
      object: segment.key,
      hint: 'Run "holdfast verify" to see what else is affected.',
    },
  )
}

function assertFollows(before: RunPart, part: RunPart): void {
  if (part.startState !== before.end.state) {
    throw new HoldfastError(
      'INTEGRITY',
      `${part.segment.key} starts at state ${formatState(part.startState)}, but the end of ${before.segment.key} is ${formatState(before.end.state)}.`,
      { object: part.segment.key, hint: 'Run "holdfast verify" to see which backups are affected.' },
    )
  }
  const { pageSize } = before.reader.header
  if (part.reader.header.pageSize === pageSize) return
  throw new HoldfastError(
    'INTEGRITY',
    `The segment ${part.segment.key} has pages of ${part.reader.header.pageSize} bytes in a chain of ${pageSize}.`,
    { object: part.segment.key },
  )
}
