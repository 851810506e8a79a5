/** One listing, and the manifests, records of gaps and pauses, and pins that it names. */
import type { z } from 'zod'
import { HoldfastError, hasCode } from '../errors.ts'
import type { Pause } from '../history/pause.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { GapRecord } from '../history/windows.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import type { Catalog } from './catalog.ts'
import { readDocument } from './documents.ts'
import { gapDocument } from './gap-record.ts'
import {
  backupsPrefix,
  databasePrefix,
  gapKey,
  gapsPrefix,
  manifestKey,
  parseSegmentKey,
  pauseKey,
  pausesPrefix,
  retentionKey,
  segmentsPrefix,
} from './layout.ts'
import { type BackupManifest, backupManifest } from './manifest.ts'
import { pauseDocument } from './pause-record.ts'
import { readRetention, withPin } from './retention-record.ts'

/** Documents are small and many: this many are fetched at once. */
const documentsAtOnce = 8

/** Damaged objects are reported as problems, never skipped in silence. */
export async function readCatalog(
  storage: BackupStorage,
  database: string,
  options: OperationOptions,
): Promise<Catalog> {
  const segments: SegmentInfo[] = []
  const manifests: string[] = []
  const gapKeys: string[] = []
  const pauseKeys: string[] = []
  const problems: { key: string; problem: string }[] = []
  const retentionKeys: string[] = []
  for await (const object of storage.list(databasePrefix(database), options)) {
    if (object.key.startsWith(segmentsPrefix(database))) {
      const segment = parseSegmentKey(object)
      if (segment === undefined) problems.push({ key: object.key, problem: 'Its name is not that of a segment.' })
      else segments.push(segment)
    } else if (object.key.startsWith(backupsPrefix(database))) manifests.push(object.key)
    else if (object.key.startsWith(gapsPrefix(database))) gapKeys.push(object.key)
    else if (object.key.startsWith(pausesPrefix(database))) pauseKeys.push(object.key)
    else if (object.key === retentionKey(database)) retentionKeys.push(object.key)
  }
  // A folder that came into being during the listing may be missing from it, but not the log that was put after the pause.
  if (pauseKeys.length === 0 && segments.some(({ kind }) => kind === 'log'))
    for await (const { key } of storage.list(pausesPrefix(database), options)) pauseKeys.push(key)
  const read = () => readRetention({ storage, name: database }, options)
  const [retention = { pins: {} }] = await readAll(retentionKeys, problems, read)
  const made = await readAll(manifests, problems, (key) => readManifest(storage, database, key, options))
  const backups = made.map((manifest) => withPin(manifest, retention))
  const gapRecords = { kind: 'gap', document: gapDocument, keyOf: (gap: GapRecord) => gapKey(database, gap) }
  const gaps = await readAll(gapKeys, problems, (key) => readStretch(storage, key, gapRecords, options))
  const pauseRecords = { kind: 'pause', document: pauseDocument, keyOf: (pause: Pause) => pauseKey(database, pause) }
  const pauses = await readAll(pauseKeys, problems, (key) => readStretch(storage, key, pauseRecords, options))
  backups.sort((a, b) => a.lsn - b.lsn || a.capturedAt.localeCompare(b.capturedAt) || a.id.localeCompare(b.id))
  gaps.sort(byStretch)
  pauses.sort(byStretch)
  return { database, segments, backups, gaps, pauses, problems }
}

const byStretch = (a: Pause, b: Pause) => a.fromLsn - b.fromLsn || a.toLsn - b.toLsn

async function readAll<T>(
  keys: readonly string[],
  problems: { key: string; problem: string }[],
  read: (key: string) => Promise<T | undefined>,
): Promise<T[]> {
  const found: T[] = []
  for (let start = 0; start < keys.length; start += documentsAtOnce) {
    const reads = keys.slice(start, start + documentsAtOnce).map(async (key) => {
      try {
        const document = await read(key)
        // One that vanished since the listing was deleted by somebody: no problem of the repository's.
        if (document !== undefined) found.push(document)
      } catch (error) {
        if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
        problems.push({ key, problem: error.message })
      }
    })
    await Promise.all(reads)
  }
  return found
}

async function readManifest(
  storage: BackupStorage,
  database: string,
  key: string,
  options: OperationOptions,
): Promise<BackupManifest | undefined> {
  const manifest = await readDocument(storage, 'backup', backupManifest, key, options)
  if (manifest === undefined || (manifest.database === database && manifestKey(database, manifest) === key))
    return manifest
  throw misplaced(
    key,
    `The manifest at ${key} belongs elsewhere: it is that of backup ${manifest.id} of ${manifest.database}.`,
  )
}

/** A record of a stretch of the history, whose name says which. */
async function readStretch<T extends Pause>(
  storage: BackupStorage,
  key: string,
  { kind, document, keyOf }: { kind: string; document: z.ZodType<T>; keyOf: (stretch: T) => string },
  options: OperationOptions,
): Promise<T | undefined> {
  const stretch = await readDocument(storage, kind, document, key, options)
  if (stretch === undefined || keyOf(stretch) === key) return stretch
  const { fromLsn, toLsn } = stretch
  throw misplaced(key, `The record at ${key} is that of another ${kind}, between LSN ${fromLsn} and ${toLsn}.`)
}

function misplaced(key: string, message: string): HoldfastError {
  return new HoldfastError('INTEGRITY', message, {
    object: key,
    hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
  })
}
