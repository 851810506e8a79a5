/** The segments that lead to a state, opened and proved to follow one another by content. */
import { HoldfastError } from '../errors.ts'
import { checkChain, type ChainLink as HistoryLink } from '../history/chain.ts'
import type { Plan, PlanStep } from '../history/plan.ts'
import type { StateChecksum } from '../history/state-checksum.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'

/** A state of the database inside a history. */
export interface StateFacts {
  readonly pageCount: number
  readonly state: StateChecksum
  /** Milliseconds since 1970. */
  readonly time: number
}

export interface ChainLink extends PlanStep {
  readonly reader: SegmentReader
  /** At `upTo`. */
  readonly at: StateFacts
  /** How many of the segment's records lead there: all, unless a log is left before its end. */
  readonly records: number
}

export interface Chain extends StateFacts {
  readonly links: readonly ChainLink[]
  readonly pageSize: number
}

/** @throws INTEGRITY if a segment is missing, damaged, or does not begin at the state where the one before it ends */
export async function openChain(
  database: DatabaseRepository,
  plan: Plan,
  options: OperationOptions = {},
): Promise<Chain> {
  const links = await openLinks(database, plan.steps, options)
  const last = links.at(-1)
  if (last === undefined) throw new HoldfastError('INTERNAL', 'A chain without segments leads nowhere.')
  assertContinuous(links)
  return { links, pageSize: last.reader.header.pageSize, ...last.at }
}

/** A chain can have thousands of segments; so many are opened at once. */
const opensAtOnce = 8

async function openLinks(
  database: DatabaseRepository,
  steps: readonly PlanStep[],
  options: OperationOptions,
): Promise<ChainLink[]> {
  const links: ChainLink[] = []
  for (let start = 0; start < steps.length; start += opensAtOnce) {
    const opening = steps.slice(start, start + opensAtOnce).map(async (step): Promise<ChainLink> => {
      const reader = await database.openSegment(step.segment, options)
      return { ...step, reader, ...(await leftAt(reader, step, options)) }
    })
    links.push(...(await Promise.all(opening)))
  }
  return links
}

/** Where a segment is left: at its end, or, for a log, at any of its commits. */
export async function leftAt(
  reader: SegmentReader,
  { segment, upTo }: PlanStep,
  options: OperationOptions = {},
): Promise<Pick<ChainLink, 'at' | 'records'>> {
  const { end, totals } = reader
  if (upTo === end.to) {
    return { at: { pageCount: end.pageCount, state: end.endState, time: end.lastTime }, records: totals.records }
  }
  let records = 0
  for await (const commit of reader.commits(options)) {
    records += commit.records
    if (commit.lsn === upTo) {
      return { at: { pageCount: commit.pageCount, state: commit.state, time: commit.time }, records }
    }
  }
  throw new HoldfastError('INTEGRITY', `The log ${segment.key} has no commit with LSN ${upTo}.`, {
    object: segment.key,
    hint: 'Run "holdfast verify" to see what else is affected.',
  })
}

function assertContinuous(links: readonly ChainLink[]): void {
  const broken = checkChain(links.map(withStates))
  if (broken !== undefined) {
    throw new HoldfastError('INTEGRITY', broken.message, {
      object: broken.link.segment.key,
      hint: 'Run "holdfast verify" to see which backups are affected.',
    })
  }
  const pageSize = links[0]?.reader.header.pageSize
  const other = links.find(({ reader }) => reader.header.pageSize !== pageSize)
  if (other === undefined) return
  const message = `The segment ${other.segment.key} has pages of ${other.reader.header.pageSize} bytes in a chain of ${pageSize}.`
  throw new HoldfastError('INTEGRITY', message, { object: other.segment.key })
}

/** A link with the states that it leads from and to, as history's `checkChain` wants it. */
export function withStates({
  segment,
  upTo,
  reader,
  at,
}: Pick<ChainLink, 'segment' | 'upTo' | 'reader' | 'at'>): HistoryLink {
  return { segment, upTo, startState: reader.header.startState, endState: at.state }
}
