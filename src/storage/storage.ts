/**
 * The contract of a storage: bytes under keys. It knows nothing of backups. Implementers run the conformance kit
 * (`holdfast/conformance`) against it.
 *
 * A key is 1 to 1024 bytes of `a-z A-Z 0-9 . _ - = +` in parts separated by `/`, each of at most
 * 255 bytes; no part is empty, `.` or `..`. A storage may refuse (USAGE) a key that is the folder of another: `a` beside `a/b`.
 */

/** What a storage can do; probed at `init`, not assumed. It gates features and conformance tests. */
export interface StorageCapabilities {
  /** `put` honours `ifAbsent`: of any number of concurrent writers exactly one succeeds. */
  readonly conditionalCreate: boolean
  /** `put` honours `ifMatch` as compare-and-swap. */
  readonly conditionalReplace: boolean
  /** `list` shows a completed put or delete at once. */
  readonly consistentList: boolean
}

export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Opaque version of the content; changes whenever the object is written. */
  readonly etag: string
  /** When it was written, in milliseconds since 1970, by the storage's clock. */
  readonly modifiedAt: number
}

export interface OperationOptions {
  readonly signal?: AbortSignal | undefined
}

export interface PutOptions extends OperationOptions {
  /** Fail with OBJECT_EXISTS if the key holds an object already. */
  readonly ifAbsent?: boolean | undefined
  /** Fail with OBJECT_CHANGED unless the key holds exactly this version. */
  readonly ifMatch?: string | undefined
}

export interface GetOptions extends OperationOptions {
  /** First byte wanted; default 0. Negative counts from the end. */
  readonly offset?: number | undefined
  /** Bytes wanted; default: to the end. A range that runs past the end is cut; one that starts there or beyond is empty. */
  readonly length?: number | undefined
  /** The reader is done with a chunk when it asks for the next, so its memory may be used again; default false. */
  readonly transient?: boolean | undefined
}

/** Bytes to store. A stream is read once, in order, with back-pressure; its chunks may be reused by the producer after the next is asked for. */
export type PutBody = Uint8Array | AsyncIterable<Uint8Array>

export interface BackupStorage {
  /** Where this is, as a URL without secrets: `file:///srv/backups`, `memory:`. */
  readonly url: string
  readonly capabilities: StorageCapabilities

  /**
   * Stores an object, atomically and durably: when it resolves, the object survives power loss; until then readers see the
   * former object or none. A stream that throws, or an aborted put, leaves nothing behind.
   * @throws OBJECT_EXISTS, OBJECT_CHANGED, DISK_FULL, STORAGE_DENIED, STORAGE_THROTTLED, STORAGE_TRANSIENT, ABORTED
   */
  put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo>

  /**
   * Reads an object or a range of it. A chunk is the reader's to keep, unless it asked for `transient` ones.
   * @throws OBJECT_NOT_FOUND (from the call or from the first read), STORAGE_*
   */
  get(key: string, options?: GetOptions): AsyncIterable<Uint8Array>

  /** The object's facts, or undefined if there is none. */
  head(key: string, options?: OperationOptions): Promise<ObjectInfo | undefined>

  /** Every object whose key begins with `prefix` (a plain string, not a folder), in ascending order of the key's bytes. */
  list(prefix: string, options?: OperationOptions): AsyncIterable<ObjectInfo>

  /** Removes an object; one that is not there is no error. Durable when it resolves. */
  delete(key: string, options?: OperationOptions): Promise<void>

  /** Frees connections and descriptors. The storage is not used afterwards. */
  close(): Promise<void>
}
