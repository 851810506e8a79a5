/**
 * `mirror.json`: makes a place a mirror, a copy of a repository that only mirroring writes to. It is there before anything else is, and
 * its removal makes the mirror a repository of its own.
 */
import { z } from 'zod'
import { HoldfastError } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { readDocument, writeDocument } from './documents.ts'
import { mirrorKey } from './layout.ts'
import { repositoryMarker } from './marker.ts'

const time = z.iso.datetime({ precision: 3 })

export const mirrorRecord = z.strictObject({
  /** What `holdfast.json` says of the repository, with what the mirror's own storage can do. */
  repository: repositoryMarker,
  /** Where the repository was when it was mirrored last, without secrets. */
  source: z.string(),
  begunAt: time,
  /** All that the repository held then is here; null until the first run that left nothing out. */
  completeAt: time.nullable(),
  /** By object key: what the repository has no longer, since when that is known, and whether it was deleted there on purpose. */
  absent: z.record(z.string(), z.strictObject({ since: time, deleted: z.boolean() })),
})
export type MirrorRecord = z.infer<typeof mirrorRecord>

/** Undefined where the place is no mirror. @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_* */
export function readMirror(storage: BackupStorage, options: OperationOptions = {}): Promise<MirrorRecord | undefined> {
  return readDocument(storage, 'mirror', mirrorRecord, mirrorKey, { signal: options.signal })
}

export async function writeMirror(
  storage: BackupStorage,
  record: MirrorRecord,
  options: OperationOptions = {},
): Promise<void> {
  await writeDocument(storage, 'mirror', mirrorKey, record, options)
}

/** @throws MIRROR; INTEGRITY, FORMAT_TOO_NEW, STORAGE_* */
export async function refuseMirror(storage: BackupStorage, options: OperationOptions = {}): Promise<void> {
  const mirror = await readMirror(storage, options)
  if (mirror === undefined) return
  throw new HoldfastError(
    'MIRROR',
    `The place ${storage.url} is a mirror of the repository at ${mirror.source}: only "holdfast mirror" writes to it.`,
    {
      object: storage.url,
      hint: `Work with ${mirror.source}. If that is lost for good, make this the repository: holdfast mirror --promote ${storage.url}`,
    },
  )
}
