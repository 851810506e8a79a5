import { hasCode } from '../../../errors.ts'
import { formatState } from '../../../history/state-checksum.ts'
import type { FollowPosition, LossReason } from '../../follower.ts'
import { type LogFile, mapLog, type PageMap } from '../log/page-map.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import type { FormerLog } from './commit-stream.ts'
import { endOfFormerLog, type FileContent } from './follows-directly.ts'
import type { LogPlace } from './log-cursor.ts'
import { PageTable } from './page-table.ts'

export interface Resume {
  readonly position: FollowPosition
  readonly hashes: BigUint64Array
}

export interface Present {
  readonly file: string
  readonly pageSize: number
  readonly horizon: LogHorizon
  readonly log: LogFile
  /** The database file. */
  readonly content: FileContent
  /** The wal-index as it is by now; undefined if it cannot be known at present. */
  readonly look: () => LogHorizon | undefined
}

export type Resumed =
  | {
      readonly kind: 'resumed'
      readonly place: LogPlace
      readonly table: PageTable
      /** The place is in a log that was reset since. */
      readonly former: FormerLog | undefined
      /** The byte order of the log's checksums, if it is known already. */
      readonly bigEndian: boolean | undefined
    }
  | { readonly kind: 'lost'; readonly reason: LossReason }

/** Our reader lets a log of which everything was copied be reset; others, being empty, may be truncated any number of times. */
const mostLogs = 3

/**
 * Proves that all that was committed after the position can still be had: it is the same log, and its frames up to the
 * position run to the very checksum that was kept; or the present log follows our state directly (follows-directly.ts).
 * If the log was reset meanwhile, that is tried again with the log that is there now.
 */
export async function resumeAt(from: Resume, now: Present, signal: AbortSignal | undefined): Promise<Resumed> {
  let { horizon } = now
  for (let logs = 1; ; logs++) {
    const resumed = await prove(from, { ...now, horizon }, signal)
    if (resumed.kind === 'resumed' || logs === mostLogs) return resumed
    const next = now.look()
    if (next === undefined || next.salts.equals(horizon.salts)) return resumed
    horizon = next
  }
}

async function prove({ position, hashes }: Resume, now: Present, signal: AbortSignal | undefined): Promise<Resumed> {
  if (position.file !== now.file) return lost('file-replaced')
  if (position.pageSize !== now.pageSize) return lost('page-size-changed')
  const salts = Buffer.from(position.salts, 'hex')
  // A log that nobody has written to yet has no salts, and so nothing to be known by.
  if (salts.every((byte) => byte === 0)) return lost('log-reset')
  const { frame, checksum, pageSize, pageCount } = position
  const place = { salts, frame, checksum }
  const tableOf = (frames: Uint32Array) => {
    const table = new PageTable(pageSize, { pageCount, hashes, frames })
    // Else the hashes that were kept are of another state than the position.
    return hashes.length >= pageCount && formatState(table.state) === position.state ? table : undefined
  }
  if (!salts.equals(now.horizon.salts)) {
    const table = tableOf(new Uint32Array(0))
    if (table === undefined) return lost('log-reset')
    const end = await endOfFormerLog({ place, hashes, pageCount }, now, signal)
    if (end === undefined) return lost('log-reset')
    const { lastFrame, bigEndian } = end
    const former = { lastFrame, next: now.horizon.salts, fileMayBeAheadUntil: now.horizon.lastFrame }
    return { kind: 'resumed', place, table, former, bigEndian }
  }
  if (frame > now.horizon.lastFrame) return lost('frames-vanished')
  const map = await mapUpTo(position, salts, now.log, signal)
  if (map === undefined) return lost('frames-vanished')
  const table = tableOf(map.frames)
  if (table === undefined) return lost('audit-failed')
  return { kind: 'resumed', place, table, former: undefined, bigEndian: map.bigEndian }
}

/** Undefined if the log no longer holds these frames. */
async function mapUpTo(
  position: FollowPosition,
  salts: Buffer,
  log: LogFile,
  signal: AbortSignal | undefined,
): Promise<(Pick<PageMap, 'frames'> & { readonly bigEndian: boolean | undefined }) | undefined> {
  if (position.frame === 0) return { frames: new Uint32Array(0), bigEndian: undefined }
  const [first, second] = position.checksum
  const { frame: lastFrame, pageCount, pageSize } = position
  try {
    return await mapLog(log, { lastFrame, pageCount, pageSize, salts, checksum: { first, second } }, signal)
  } catch (thrown) {
    if (hasCode(thrown, 'DATABASE_DAMAGED', 'DATABASE_CHANGED', 'DATABASE_UNSUPPORTED')) return undefined
    throw thrown
  }
}

function lost(reason: LossReason): Resumed {
  return { kind: 'lost', reason }
}
