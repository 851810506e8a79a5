import { HoldfastError } from '../../../errors.ts'
import type { FollowStart, LossReason } from '../../follower.ts'
import type { HeldState } from '../held-state.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import { readPages } from '../page-reader.ts'
import type { PendingReads } from '../pending-reads.ts'
import type { CommitStream } from './commit-stream.ts'
import type { LogPlace } from './log-cursor.ts'
import { PageTable } from './page-table.ts'

export interface Held {
  readonly state: HeldState
  readonly horizon: LogHorizon
  readonly reads: PendingReads
  readonly capturedAt: number
  readonly reason: LossReason | undefined
  /** The position to go on from is in another log than the present one. */
  readonly isOtherLog: boolean
}

/**
 * The present state, held by the very reader that following goes on from: it stands at `horizon`, so what is committed while
 * the state is read waits in the log.
 */
export function heldStart(
  { state, horizon, reads, capturedAt, reason, isOtherLog }: Held,
  follow: (place: LogPlace, table: PageTable) => CommitStream,
): { readonly start: FollowStart; readonly begin: () => CommitStream } {
  const { pageSize, pageCount, log } = state.pages
  let stream: CommitStream | undefined
  const start: FollowStart = {
    kind: 'anew',
    reason,
    // What a log holds was committed after the one before it was left.
    missed: isOtherLog && horizon.lastFrame > 0,
    pageSize,
    pageCount,
    capturedAt,
    async *pages(options = {}) {
      if (stream) throw hasBegun()
      yield* readPages(state.pages, reads, options.signal)
      state.requireUnchanged()
    },
    async begin(hashes) {
      if (stream) throw hasBegun()
      if (hashes.length < pageCount) {
        throw new HoldfastError('INTERNAL', `${hashes.length} hashes were given for ${pageCount} pages.`)
      }
      const { salts, lastFrame, checksum } = horizon
      // Where the file holds everything there is no map; frames up to the horizon are then never looked at again.
      const frames = log?.map.frames ?? new Uint32Array(0)
      const place = { salts, frame: lastFrame, checksum: [checksum.first, checksum.second] as const }
      // Its pages have been read.
      state[Symbol.dispose]()
      stream = follow(place, new PageTable(pageSize, { pageCount, hashes, frames }))
    },
  }
  const begin = () => {
    if (stream) return stream
    throw new HoldfastError('INTERNAL', 'Following has not begun: start.begin() comes first.')
  }
  return { start, begin }
}

function hasBegun(): HoldfastError {
  return new HoldfastError('INTERNAL', 'Following has begun already.')
}
