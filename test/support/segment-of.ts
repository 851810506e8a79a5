import assert from 'node:assert/strict'
import type { BackupManifest } from '../../src/repository/manifest.ts'

/** Object key of the segment that a backup added. */
export function segmentOf({ id, segment }: Pick<BackupManifest, 'id' | 'segment'>): string {
  assert.ok(segment !== null, `backup ${id} added no segment`)
  return segment
}
