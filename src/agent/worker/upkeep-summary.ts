import type { ExpireReport } from '../../maintenance/expire/expire-database.ts'
import type { UpkeepReport } from '../../maintenance/upkeep/upkeep-options.ts'

/** Counts, and sizes in bytes. */
export interface UpkeepSummary {
  readonly keptBackups: number
  readonly droppedBackups: number
  readonly mergedSegments: number
  readonly deletedSegments: number
  readonly freedBytes: number
  /** Not needed any more, and kept for the time of grace. */
  readonly waitingBytes: number
}

export function expireSummary(report: ExpireReport): UpkeepSummary {
  return { ...upkeepSummary(report), keptBackups: report.keep.length, droppedBackups: report.drop.length }
}

export function upkeepSummary({ merged, deleted, freedBytes, waitingBytes }: UpkeepReport): UpkeepSummary {
  return {
    keptBackups: 0,
    droppedBackups: 0,
    mergedSegments: merged.length,
    deletedSegments: deleted.length,
    freedBytes,
    waitingBytes,
  }
}
