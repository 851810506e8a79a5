import { HoldfastError, hasCode } from '../errors.ts'
import type { Pause } from '../history/pause.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { GapRecord } from '../history/windows.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import type { Catalog } from './catalog.ts'
import { readDocument, writeDocument } from './documents.ts'
import { gapBody } from './gap-record.ts'
import { databaseRecordKey, gapKey, isDatabaseName, manifestKey, pauseKey } from './layout.ts'
import type { BackupManifest } from './manifest.ts'
import { type DatabaseRecord, databaseRecord } from './marker.ts'
import { openStoredSegment } from './open-segment.ts'
import { pauseBody } from './pause-record.ts'
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
    await this.#putOnce('gap', gapKey(this.name, gap), gapBody(gap), options)
  }

  /** Published before the log whose commits were made in it; otherwise like {@link putGap}. */
  async putPause(pause: Pause, options: OperationOptions = {}): Promise<void> {
    await this.#putOnce('pause', pauseKey(this.name, pause), pauseBody(pause), options)
  }

  async #putOnce(kind: string, key: string, body: unknown, options: OperationOptions): Promise<void> {
    const { conditionalCreate } = this.repository.capabilities
    try {
      await writeDocument(this.storage, kind, key, body, { ...options, ifAbsent: conditionalCreate })
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
  openSegment(info: SegmentInfo, options: OperationOptions = {}): Promise<SegmentReader> {
    return openStoredSegment(this.storage, info, options)
  }
}
