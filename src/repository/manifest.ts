import { z } from 'zod'
import { databaseFacts, validationReport } from './facts-schema.ts'

export const backupTypes = ['full', 'incremental', 'snapshot'] as const
export type BackupType = (typeof backupTypes)[number]

/** A backup's manifest: its commit point. A backup exists when, and only when, its manifest does. */
export const backupManifest = z.strictObject({
  /** Twelve characters of a–z and 0–9, random. */
  id: z.string().regex(/^[a-z0-9]{12}$/),
  database: z.string(),
  type: z.enum(backupTypes),
  /** Of the state that the backup holds. */
  lsn: z.int().min(1),
  /** Id of the backup that the segment builds on; null for a base, and where there is no segment. */
  parent: z.string().nullable(),
  name: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  /** A pinned backup is never dropped by retention. */
  pinned: z.boolean(),
  /** When the state was taken and when the backup was complete: ISO 8601, UTC, milliseconds. */
  capturedAt: z.iso.datetime({ precision: 3 }),
  createdAt: z.iso.datetime({ precision: 3 }),
  durationMs: z.number().min(0),
  host: z.string(),
  /** Version of Holdfast that wrote it. */
  holdfastVersion: z.string(),
  /** Absolute path of the database on that host. */
  location: z.string(),
  source: databaseFacts,
  /**
   * Object key of the segment that this backup added, and what is in it. Null for a backup of a database that was being followed: the
   * logs lead to its state already.
   */
  segment: z.string().nullable(),
  segmentKind: z.enum(['base', 'delta']).nullable(),
  pages: z.int().min(0),
  codec: z.enum(['none', 'gzip', 'zstd']),
  /** Bytes: of the database, of the pages in the segment, and of the segment as stored. */
  databaseBytes: z.int().min(0),
  rawBytes: z.int().min(0),
  storedBytes: z.int().min(0),
  /** rawBytes / storedBytes; 1 when nothing was stored. */
  compressionRatio: z.number().min(0),
  /** State checksum at `lsn`: sixteen hexadecimal digits. */
  checksum: z.string().regex(/^[0-9a-f]{16}$/),
  validation: validationReport,
  /** The database failed its checks when this was made. */
  damaged: z.boolean(),
})
export type BackupManifest = z.infer<typeof backupManifest>
