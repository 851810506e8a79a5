import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { GapRecord } from '../history/windows.ts'
import { openSegment, type SegmentReader } from '../segment/read-segment.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import type { Catalog } from './catalog.ts'
import { readDocument, writeDocument } from './documents.ts'
import { gapBody } from './gap-record.ts'
import { databaseRecordKey, gapKey, isDatabaseName, manifestKey } from './layout.ts'
import type { BackupManifest } from './manifest.ts'
import { type DatabaseRecord, databaseRecord } from './marker.ts'
import { readCatalog } from './read-catalog.ts'
import type { Repository } from './repository.ts'

/** One database's part of a repository. */
export class DatabaseRepository {
  readonly repository: Repository
  readonly name: string

  constructor(repository: Repository, name: string) {
    if (!isDatabaseName(name)) {
      throw new HoldfastError('USAGE', `"${name}" cannot be the name of a database in a repository.`, {
        object: name,
        hint: 'Use letters, digits and ". _ + = -", at most 100, beginning with a letter, digit or "_".',
      })
    }
    this.repository = repository
    this.name = name
  }

  get storage(): BackupStorage {
    return this.repository.storage
  }

  /** Undefined until the first backup. @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_* */
  record(options: OperationOptions = {}): Promise<DatabaseRecord | undefined> {
    return readDocument(this.storage, 'database', databaseRecord, databaseRecordKey(this.name), options)
  }

  /** Enters a new database; of two at once, one is kept. With `replace`, a record that is there gives way. */
  async putRecord(
    record: DatabaseRecord,
    { replace = false, ...options }: OperationOptions & { readonly replace?: boolean | undefined } = {},
  ): Promise<void> {
    try {
      await writeDocument(this.storage, 'database', databaseRecordKey(this.name), record, {
        ...options,
        ifAbsent: !replace,
      })
    } catch (error) {
      if (!hasCode(error, 'OBJECT_EXISTS')) throw error
    }
  }

  /** Published before the segment that ends it, so that no crash hides a gap. A second one for the same states changes nothing. */
  async putGap(gap: GapRecord, options: OperationOptions = {}): Promise<void> {
    const { conditionalCreate } = this.repository.capabilities
    try {
      await writeDocument(this.storage, 'gap', gapKey(this.name, gap), gapBody(gap), {
        ...options,
        ifAbsent: conditionalCreate,
      })
    } catch (error) {
      if (!hasCode(error, 'OBJECT_EXISTS')) throw error
    }
  }

  /** One listing, and the manifests and gaps it names. Damaged ones are reported as problems, never skipped in silence. */
  catalog(options: OperationOptions = {}): Promise<Catalog> {
    return readCatalog(this.storage, this.name, options)
  }

  /** The backup exists once this resolves. @throws STORAGE_* */
  async putManifest(manifest: BackupManifest, options: OperationOptions = {}): Promise<void> {
    await writeDocument(this.storage, 'backup', manifestKey(this.name, manifest), manifest, {
      ...options,
      ifAbsent: true,
    })
  }

  async deleteManifest(manifest: BackupManifest, options: OperationOptions = {}): Promise<void> {
    await this.storage.delete(manifestKey(this.name, manifest), options)
  }

  /**
   * Opens a segment and makes sure that it is the one its name promises.
   * @throws INTEGRITY also when the object is missing, FORMAT_TOO_NEW, WRONG_KEY, STORAGE_*
   */
  async openSegment(info: SegmentInfo, options: OperationOptions = {}): Promise<SegmentReader> {
    const { storage } = this
    let reader: SegmentReader
    try {
      reader = await openSegment(
        {
          size: info.bytes,
          read: (offset, length, { signal, transient } = {}) =>
            storage.get(info.key, { offset, length, transient, signal: signal ?? options.signal }),
        },
        { object: info.key, signal: options.signal },
      )
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) throw missingSegment(info, error)
      throw toHoldfastError(error, info.key)
    }
    const { header, end } = reader
    const same =
      header.kind === info.kind &&
      header.from === info.from &&
      header.epoch === info.epoch &&
      header.firstTime === info.firstTime &&
      end.to === info.to &&
      end.lastTime === info.lastTime
    if (!same) {
      throw new HoldfastError(
        'INTEGRITY',
        `The object ${info.key} is another segment than its name says: (${header.from}, ${end.to}] of kind ${header.kind}.`,
        {
          object: info.key,
          hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
        },
      )
    }
    return reader
  }
}

function missingSegment(info: SegmentInfo, cause: HoldfastError): HoldfastError {
  return new HoldfastError('INTEGRITY', `The segment ${info.key} is missing from the repository.`, {
    object: info.key,
    cause,
    hint: 'Run "holdfast verify" to see which backups need it.',
  })
}
