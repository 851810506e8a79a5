import { hasCode } from '../../../errors.ts'
import { formatState } from '../../../history/state-checksum.ts'
import type { FollowPosition, LossReason } from '../../follower.ts'
import { type LogFile, mapLog } from '../log/page-map.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import type { LogPlace } from './log-cursor.ts'
import { PageTable } from './page-table.ts'

export interface Resume {
  readonly position: FollowPosition
  readonly hashes: BigUint64Array
}

export type Resumed =
  | { readonly kind: 'resumed'; readonly place: LogPlace; readonly table: PageTable }
  | { readonly kind: 'lost'; readonly reason: LossReason }

/**
 * Proves that the log still holds all that was committed after the position: it is the same log, and its frames up to the
 * position run to the very checksum that was kept. (Salts change with every reset; SQLite draws them at random.)
 */
export async function resumeAt(
  { position, hashes }: Resume,
  now: { readonly file: string; readonly pageSize: number; readonly horizon: LogHorizon; readonly log: LogFile },
  signal: AbortSignal | undefined,
): Promise<Resumed> {
  if (position.file !== now.file) return lost('file-replaced')
  if (position.pageSize !== now.pageSize) return lost('page-size-changed')
  const salts = Buffer.from(position.salts, 'hex')
  // A log that nobody has written to yet has no salts, and so nothing to be known by.
  if (!salts.equals(now.horizon.salts) || salts.every((byte) => byte === 0)) return lost('log-reset')
  if (position.frame > now.horizon.lastFrame) return lost('frames-vanished')
  const { frame, checksum, pageSize, pageCount } = position
  const frames = await mapUpTo(position, salts, now.log, signal)
  if (frames === undefined) return lost('frames-vanished')
  const table = new PageTable(pageSize, { pageCount, hashes, frames })
  // The hashes that were kept are of another state than the position.
  if (hashes.length < pageCount || formatState(table.state) !== position.state) return lost('audit-failed')
  return { kind: 'resumed', place: { salts, frame, checksum }, table }
}

/** Undefined if the log no longer holds these frames. */
async function mapUpTo(
  position: FollowPosition,
  salts: Buffer,
  log: LogFile,
  signal: AbortSignal | undefined,
): Promise<Uint32Array | undefined> {
  if (position.frame === 0) return new Uint32Array(0)
  const [first, second] = position.checksum
  const { frame: lastFrame, pageCount, pageSize } = position
  try {
    return (await mapLog(log, { lastFrame, pageCount, pageSize, salts, checksum: { first, second } }, signal)).frames
  } catch (thrown) {
    if (hasCode(thrown, 'DATABASE_DAMAGED', 'DATABASE_CHANGED', 'DATABASE_UNSUPPORTED')) return undefined
    throw thrown
  }
}

function lost(reason: LossReason): Resumed {
  return { kind: 'lost', reason }
}
