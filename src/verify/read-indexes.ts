import type { SegmentInfo } from '../history/segment-info.ts'
import type { StateChecksum } from '../history/state-checksum.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Problems } from './problems.ts'
import type { VerifyOptions } from './verify-options.ts'

/** The states that a segment leads from and to, as its index says. */
export interface SegmentStates {
  readonly startState: StateChecksum
  readonly endState: StateChecksum
}

/** Each costs a request or two, so that most of the time goes into waiting. */
const indexesAtOnce = 8

/** Reads every index; those that are damaged become problems. Of the others it keeps only the states, however large they are. */
export async function readIndexes(
  database: DatabaseRepository,
  segments: readonly SegmentInfo[],
  problems: Problems,
  { signal, onProgress }: VerifyOptions,
): Promise<Map<string, SegmentStates>> {
  const states = new Map<string, SegmentStates>()
  const tell = (done: number) => onProgress?.({ phase: 'metadata', done, total: segments.length, unit: 'objects' })
  for (let start = 0; start < segments.length; start += indexesAtOnce) {
    tell(start)
    const reads = segments.slice(start, start + indexesAtOnce).map((segment) =>
      problems.guard(segment.key, async () => {
        const { header, end } = await database.openSegment(segment, { signal })
        states.set(segment.key, { startState: header.startState, endState: end.endState })
      }),
    )
    for (const read of await Promise.allSettled(reads)) if (read.status === 'rejected') throw read.reason
  }
  tell(segments.length)
  return states
}
