/** The segments that lead to a state, opened and proved to follow one another by content. */
import { HoldfastError } from '../errors.ts'
import { checkChain, type ChainLink as HistoryLink } from '../history/chain.ts'
import type { Plan, PlanStep } from '../history/plan.ts'
import type { StateChecksum } from '../history/state-checksum.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'

export interface ChainLink extends PlanStep {
  readonly reader: SegmentReader
}

export interface Chain {
  readonly links: readonly ChainLink[]
  readonly pageSize: number
  /** At the chain's end. */
  readonly pageCount: number
  readonly state: StateChecksum
  /** Milliseconds since 1970. */
  readonly time: number
}

/** @throws INTEGRITY if a segment is missing, damaged, or does not begin at the state where the one before it ends */
export async function openChain(
  database: DatabaseRepository,
  plan: Plan,
  options: OperationOptions = {},
): Promise<Chain> {
  const links = await Promise.all(
    plan.steps.map(
      async (step): Promise<ChainLink> => ({ ...step, reader: await database.openSegment(step.segment, options) }),
    ),
  )
  const last = links.at(-1)
  if (last === undefined) throw new HoldfastError('INTERNAL', 'A chain without segments leads nowhere.')
  assertContinuous(links)
  const { header, end } = last.reader
  return { links, pageSize: header.pageSize, pageCount: end.pageCount, state: end.endState, time: end.lastTime }
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

/** A step with the states that its segment says it leads from and to, as history's `checkChain` wants it. */
export function withStates({ segment, upTo, reader }: ChainLink): HistoryLink {
  return { segment, upTo, startState: reader.header.startState, endState: reader.end.endState }
}
