import { acknowledgedSegments } from './acknowledged.ts'
import { type Catalog, newestGoodBackup } from './catalog.ts'
import type { BackupManifest, BackupType } from './manifest.ts'

export interface BackupStats {
  readonly backups: number
  readonly byType: Readonly<Record<BackupType, number>>
  readonly segments: number
  /** Bytes of all segments as stored. */
  readonly storedBytes: number
  /** What following the database stored, as a part of the above: its commits, and the states at which it began or went on. */
  readonly followed: { readonly segments: number; readonly commits: number; readonly bytes: number }
  /** Bytes of the pages in the backups' segments before compression. */
  readonly rawBytes: number
  /** Sum of the database's size over all backups: what plain copies would take. */
  readonly databaseBytesProtected: number
  /** databaseBytesProtected less what is stored for backups, and as a part of it (0 to 1). */
  readonly savedBytes: number
  readonly savingsRatio: number
  /** rawBytes / stored bytes of the same segments; 1 without backups. */
  readonly compressionRatio: number
  readonly oldest: BackupManifest | undefined
  readonly newest: BackupManifest | undefined
  /** The newest whose database passed its checks. */
  readonly newestGood: BackupManifest | undefined
  /**
   * Stored bytes of all segments up to the state of each backup, oldest first, and last, if what followed the database stored goes beyond
   * them, up to its newest state: that is all of `storedBytes`. Times in milliseconds since 1970.
   */
  readonly growth: readonly StoredUpTo[]
}

export interface StoredUpTo {
  readonly time: number
  readonly storedBytes: number
}

export function getBackupStats(catalog: Catalog): BackupStats {
  const { backups, segments } = catalog
  const byType = { full: 0, incremental: 0, snapshot: 0 }
  let rawBytes = 0
  let ownStored = 0
  let databaseBytesProtected = 0
  for (const backup of backups) {
    byType[backup.type] += 1
    rawBytes += backup.rawBytes
    ownStored += backup.storedBytes
    databaseBytesProtected += backup.databaseBytes
  }
  const storedBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  const followed = followedPart(catalog)
  const savedBytes = databaseBytesProtected - (storedBytes - followed.bytes)
  return {
    backups: backups.length,
    byType,
    segments: segments.length,
    storedBytes,
    followed,
    rawBytes,
    databaseBytesProtected,
    savedBytes,
    savingsRatio: databaseBytesProtected === 0 ? 0 : savedBytes / databaseBytesProtected,
    compressionRatio: ownStored === 0 ? 1 : rawBytes / ownStored,
    oldest: backups[0],
    newest: backups.at(-1),
    newestGood: newestGoodBackup(backups),
    growth: growthOf(catalog),
  }
}

function growthOf({ segments, backups }: Catalog): StoredUpTo[] {
  const byEnd = segments.toSorted((a, b) => a.to - b.to)
  let storedBytes = 0
  let counted = 0
  const upTo = (lsn: number): number => {
    for (let next = byEnd[counted]; next !== undefined && next.to <= lsn; next = byEnd[counted]) {
      storedBytes += next.bytes
      counted += 1
    }
    return storedBytes
  }
  const byLsn = backups.toSorted((a, b) => a.lsn - b.lsn)
  const growth = byLsn.map(({ lsn, capturedAt }) => ({ time: Date.parse(capturedAt), storedBytes: upTo(lsn) }))
  const newest = byEnd.at(-1)
  if (newest === undefined || counted === byEnd.length) return growth
  return [...growth, { time: newest.lastTime, storedBytes: upTo(newest.to) }]
}

function followedPart(catalog: Catalog): BackupStats['followed'] {
  const backedUp = new Set(catalog.backups.map(({ segment }) => segment))
  const own = acknowledgedSegments(catalog).filter(({ key }) => !backedUp.has(key))
  const logs = own.filter(({ kind }) => kind === 'log')
  // Without a trace of following, it is a backup whose manifest was lost.
  if (logs.length === 0 && catalog.gaps.length === 0) return { segments: 0, commits: 0, bytes: 0 }
  return {
    segments: own.length,
    commits: logs.reduce((sum, { from, to }) => sum + to - from, 0),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
