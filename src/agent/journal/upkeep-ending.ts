import type { UpkeepReport } from '../../maintenance/upkeep/upkeep-options.ts'
import type { Ending } from './ending.ts'

/** What is recorded of expiry and compaction. */
interface Upkeep extends Pick<UpkeepReport, 'freedBytes' | 'waitingBytes'> {
  readonly merged: readonly unknown[]
  readonly deleted: readonly unknown[]
}

interface Expired extends Upkeep {
  readonly keep: readonly unknown[]
  readonly drop: readonly unknown[]
}

interface Compacted extends Upkeep {
  readonly logs: { readonly replaced: number }
}

export function expireEnding({ keep, drop, merged, deleted, freedBytes, waitingBytes }: Expired): Ending {
  return {
    figures: {
      kept: keep.length,
      dropped: drop.length,
      merged: merged.length,
      deletedSegments: deleted.length,
      freedBytes,
      waitingBytes,
    },
  }
}

export function compactEnding({ merged, logs, deleted, freedBytes, waitingBytes }: Compacted): Ending {
  return {
    figures: {
      merged: merged.length,
      mergedLogs: logs.replaced,
      deletedSegments: deleted.length,
      freedBytes,
      waitingBytes,
    },
  }
}
