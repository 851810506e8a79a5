import { HoldfastError } from '../../errors.ts'
import { decodeDocument } from '../../repository/document.ts'
import { readDocumentBytes } from '../../repository/documents.ts'
import { gapDocument } from '../../repository/gap-record.ts'
import { gapKey, manifestKey, pauseKey } from '../../repository/layout.ts'
import { type BackupManifest, backupManifest } from '../../repository/manifest.ts'
import { databaseRecord } from '../../repository/marker.ts'
import { pauseDocument } from '../../repository/pause-record.ts'
import { type RetentionRecord, retentionRecord } from '../../repository/retention-record.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import { mirroredKind } from './object-kind.ts'

/** A document, byte for byte, and what of it matters here. */
export interface MirroredDocument {
  readonly bytes: Uint8Array
  readonly manifest?: BackupManifest
  readonly retention?: RetentionRecord
}

/**
 * Reads a document that is copied as it is, and makes sure that it is sound and lies in its own place. Undefined if it is not there.
 * @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_*, ABORTED
 */
export async function readMirrored(
  storage: BackupStorage,
  database: string,
  key: string,
  options: OperationOptions,
): Promise<MirroredDocument | undefined> {
  const bytes = await readDocumentBytes(storage, key, options)
  if (bytes === undefined) return undefined
  switch (mirroredKind(database, { key, size: bytes.length })?.kind) {
    case 'manifest': {
      const manifest = decodeDocument('backup', backupManifest, bytes, key)
      if (manifest.database !== database || manifestKey(database, manifest) !== key) throw misplaced(key)
      return { bytes, manifest }
    }
    case 'gap': {
      if (gapKey(database, decodeDocument('gap', gapDocument, bytes, key)) !== key) throw misplaced(key)
      return { bytes }
    }
    case 'pause': {
      if (pauseKey(database, decodeDocument('pause', pauseDocument, bytes, key)) !== key) throw misplaced(key)
      return { bytes }
    }
    case 'record': {
      if (decodeDocument('database', databaseRecord, bytes, key).name !== database) throw misplaced(key)
      return { bytes }
    }
    case 'retention':
      return { bytes, retention: decodeDocument('retention', retentionRecord, bytes, key) }
    default:
      throw new HoldfastError('INTERNAL', `The object ${key} is not copied as it is.`, { object: key })
  }
}

function misplaced(key: string): HoldfastError {
  return new HoldfastError('INTEGRITY', `The document at ${key} belongs elsewhere: it says so itself.`, {
    object: key,
    hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
  })
}
