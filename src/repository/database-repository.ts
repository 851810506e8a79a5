import { HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { openSegment, type SegmentReader } from '../segment/read-segment.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import type { Catalog } from './catalog.ts'
import { readDocument, writeDocument } from './documents.ts'
import {
  backupsPrefix,
  databasePrefix,
  databaseRecordKey,
  isDatabaseName,
  manifestKey,
  parseSegmentKey,
  segmentsPrefix,
} from './layout.ts'
import { type BackupManifest, backupManifest } from './manifest.ts'
import { type DatabaseRecord, databaseRecord } from './marker.ts'
import type { Repository } from './repository.ts'

/** Manifests are small and many: this many are fetched at once. */
const manifestConcurrency = 8

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

  /** One listing, and the manifests it names. Damaged ones are reported as problems, never skipped in silence. */
  async catalog(options: OperationOptions = {}): Promise<Catalog> {
    const segments: SegmentInfo[] = []
    const manifests: string[] = []
    const problems: { key: string; problem: string }[] = []
    for await (const object of this.storage.list(databasePrefix(this.name), options)) {
      if (object.key.startsWith(segmentsPrefix(this.name))) {
        const segment = parseSegmentKey(object)
        if (segment === undefined) problems.push({ key: object.key, problem: 'Its name is not that of a segment.' })
        else segments.push(segment)
      } else if (object.key.startsWith(backupsPrefix(this.name))) manifests.push(object.key)
    }
    const backups: BackupManifest[] = []
    for (let start = 0; start < manifests.length; start += manifestConcurrency) {
      const read = manifests.slice(start, start + manifestConcurrency).map(async (key) => {
        try {
          backups.push(await this.#manifest(key, options))
        } catch (error) {
          // A manifest that vanished since the listing was deleted by somebody: no problem of the repository's.
          if (hasCode(error, 'OBJECT_NOT_FOUND')) return
          if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
          problems.push({ key, problem: error.message })
        }
      })
      await Promise.all(read)
    }
    backups.sort((a, b) => a.lsn - b.lsn || a.capturedAt.localeCompare(b.capturedAt) || a.id.localeCompare(b.id))
    return { database: this.name, segments, backups, problems }
  }

  async #manifest(key: string, options: OperationOptions): Promise<BackupManifest> {
    const manifest = await readDocument(this.storage, 'backup', backupManifest, key, options)
    if (manifest === undefined)
      throw new HoldfastError('OBJECT_NOT_FOUND', `There is no object ${key}.`, { object: key })
    if (manifest.database !== this.name || manifestKey(this.name, manifest) !== key) {
      throw new HoldfastError(
        'INTEGRITY',
        `The manifest at ${key} belongs elsewhere: it is that of backup ${manifest.id} of ${manifest.database}.`,
        {
          object: key,
          hint: 'Objects of the repository were moved or swapped; put them back from a copy.',
        },
      )
    }
    return manifest
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
          read: (offset, length, { signal } = {}) =>
            storage.get(info.key, { offset, length, signal: signal ?? options.signal }),
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
