/**
 * What people and retention decided about a database's backups: one document, replaced by compare-and-swap. Manifests never change, so
 * a pin is written here; and what is to be deleted is named here for a while first.
 */
import { z } from 'zod'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { readDocument } from './documents.ts'
import { retentionKey } from './layout.ts'
import type { BackupManifest } from './manifest.ts'
import { replaceDocument } from './replace-document.ts'

const time = z.iso.datetime({ precision: 3 })

export const retentionRecord = z.strictObject({
  /** By backup id: pinned or unpinned since it was made. */
  pins: z.record(z.string(), z.strictObject({ pinned: z.boolean(), at: time })),
  /** Ids of backups that retention lets go: their manifests are being deleted. Empty but for the moments of that. */
  dropping: z.array(z.string()),
  /** Ids of backups that were let go, as long as another names them as its parent: their manifests are not missing. */
  letGo: z.array(z.string()).default([]),
  /** By object key: segments that nothing needs any more, and since when that is known. */
  trash: z.record(z.string(), z.strictObject({ since: time })),
  /** By object key: what was deleted on purpose, and when; for mirrors, which delete nothing else. */
  deleted: z.record(z.string(), time).default({}),
})
export type RetentionRecord = z.infer<typeof retentionRecord>

export const noRetentionRecord: RetentionRecord = { pins: {}, dropping: [], letGo: [], trash: {}, deleted: {} }

/** @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_* */
export async function readRetention(
  { storage, name }: Pick<DatabaseRepository, 'storage' | 'name'>,
  options: OperationOptions = {},
): Promise<RetentionRecord> {
  const found = await readDocument(storage, 'retention', retentionRecord, retentionKey(name), options)
  return found ?? noRetentionRecord
}

/** What is in the trash is as good as gone: nothing may be planned with it that is not to be taken out again. */
export function outOfTrash(
  segments: readonly SegmentInfo[],
  { trash }: Pick<RetentionRecord, 'trash'>,
): readonly SegmentInfo[] {
  return segments.filter(({ key }) => trash[key] === undefined)
}

/** @param change makes the next record of the present one; called again if somebody else came between */
export async function updateRetention(
  database: DatabaseRepository,
  change: (record: RetentionRecord) => RetentionRecord,
  options: OperationOptions = {},
): Promise<void> {
  const next = async () => change(await readRetention(database, options))
  await replaceDocument(database, 'retention', retentionKey(database.name), next, options)
}

/** A mirror that is not brought up to date for so long no longer learns what was deleted on purpose. */
const rememberDeletedMs = 30 * 86_400_000

/** With these keys, which are about to be deleted, and without those that were deleted long ago. */
export function nextDeleted(
  { deleted }: Pick<RetentionRecord, 'deleted'>,
  keys: readonly string[],
  now: number,
): RetentionRecord['deleted'] {
  const recent = Object.entries(deleted).filter(([, at]) => now - Date.parse(at) < rememberDeletedMs)
  const at = new Date(now).toISOString()
  return { ...Object.fromEntries(recent), ...Object.fromEntries(keys.map((key) => [key, at])) }
}

/** With those that are let go now, and without those that no backup that stays names as its parent. */
export function nextLetGo(
  { letGo }: Pick<RetentionRecord, 'letGo'>,
  going: readonly Pick<BackupManifest, 'id'>[],
  staying: readonly Pick<BackupManifest, 'parent'>[],
): string[] {
  const named = new Set(staying.map(({ parent }) => parent))
  return [...new Set([...letGo, ...going.map(({ id }) => id)])].filter((id) => named.has(id))
}

/** The manifest as it counts now: pinned or not as was said last. */
export function withPin(manifest: BackupManifest, { pins }: Pick<RetentionRecord, 'pins'>): BackupManifest {
  const pinned = pins[manifest.id]?.pinned ?? manifest.pinned
  return pinned === manifest.pinned ? manifest : { ...manifest, pinned }
}
