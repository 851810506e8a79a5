/**
 * Every failure that Holdfast reports is a {@link HoldfastError}. Its `code` is stable across releases, its message is not.
 * The code alone decides the command line's exit status, so that scripts never parse text.
 */

/** Exit statuses of the command line, by what a script would do about them. */
export const exitCodes = {
  ok: 0,
  error: 1,
  usage: 2,
  warnings: 3,
  notFound: 4,
  integrity: 5,
  locked: 6,
  storage: 7,
  wrongKey: 8,
  interrupted: 130,
} as const

const exitCodeOf = {
  /** The operation was cancelled through its AbortSignal, or by Ctrl-C. */
  ABORTED: exitCodes.interrupted,
  /** Options contradict one another, or have values that make no sense. */
  USAGE: exitCodes.usage,
  /** The configuration file cannot be read, or says what makes no sense. */
  CONFIG_INVALID: exitCodes.usage,
  /** A bug in Holdfast. */
  INTERNAL: exitCodes.error,
  /** The process that ran the engine ended before it answered. */
  ENGINE_DIED: exitCodes.error,
  /** The process that was to be asked (a follower, the agent) is not running. */
  NOT_RUNNING: exitCodes.notFound,

  /** The database file does not exist. */
  DATABASE_NOT_FOUND: exitCodes.notFound,
  /** The file is not a SQLite database (its header is neither SQLite's nor empty). */
  NOT_A_DATABASE: exitCodes.error,
  /** The file may be encrypted: no known header. */
  DATABASE_ENCRYPTED: exitCodes.error,
  /** A feature of the database that cannot be read safely (exclusive locking mode, wal2, an unknown format). */
  DATABASE_UNSUPPORTED: exitCodes.error,
  /** The operating system denies access to a file or folder. */
  ACCESS_DENIED: exitCodes.error,
  /** Another process holds the database locked past the timeout. */
  DATABASE_BUSY: exitCodes.locked,
  /** The database was replaced, truncated or switched to another format while it was read. */
  DATABASE_CHANGED: exitCodes.error,
  /** The database is damaged: SQLite's own checks, or foreign keys, fail. */
  DATABASE_DAMAGED: exitCodes.integrity,

  /** No repository at this place. */
  REPOSITORY_NOT_FOUND: exitCodes.notFound,
  /** `init` on a place that already holds a repository. */
  REPOSITORY_EXISTS: exitCodes.error,
  /** The place is a mirror: a copy, which only mirroring writes to. Or it is none, or that of another repository. */
  MIRROR: exitCodes.error,
  /** The repository, or an object in it, was written in a format this version does not know. */
  FORMAT_TOO_NEW: exitCodes.error,
  /** A writer's lease on this database is held by another process. */
  LEASE_HELD: exitCodes.locked,
  /** Our own lease was lost while we worked. */
  LEASE_LOST: exitCodes.locked,
  /** An object, or the chain that it belongs to, is damaged or missing. */
  INTEGRITY: exitCodes.integrity,
  /** An object is encrypted and no key, or the wrong one, was given. */
  WRONG_KEY: exitCodes.wrongKey,

  /** No such database name in the repository. */
  NAME_NOT_FOUND: exitCodes.notFound,
  /** The name belongs to another database already. */
  NAME_TAKEN: exitCodes.error,
  /** No backup has this id or name. */
  BACKUP_NOT_FOUND: exitCodes.notFound,
  /** No schedule of the database has this id. */
  SCHEDULE_NOT_FOUND: exitCodes.notFound,
  /** A kept backup needs the one that was to be deleted. */
  BACKUP_NEEDED: exitCodes.error,
  /** The backup that was to be deleted is pinned, as every snapshot is until somebody unpins it. */
  BACKUP_PINNED: exitCodes.error,
  /** The wanted moment or LSN cannot be reached; the message names the nearest that can. */
  NOT_RESTORABLE: exitCodes.notFound,

  /** The restore target exists and neither `force` nor `delta` was given. */
  TARGET_EXISTS: exitCodes.error,
  /** The restore target is open in another process. */
  TARGET_LIVE: exitCodes.locked,
  /** The folder of the restore target does not exist. */
  TARGET_FOLDER_MISSING: exitCodes.notFound,
  /** A proof of the restored file failed; nothing was put in place. */
  PROOF_FAILED: exitCodes.integrity,
  /** The user's own check command said no. */
  CHECK_COMMAND_FAILED: exitCodes.integrity,

  /** A hook of the user's failed, or ran too long. */
  HOOK_FAILED: exitCodes.error,
  /** A notification did not get through. */
  NOTIFICATION_FAILED: exitCodes.error,

  /** No space left, or over quota. */
  DISK_FULL: exitCodes.error,

  /** Storage: no such object. */
  OBJECT_NOT_FOUND: exitCodes.storage,
  /** Storage: `ifAbsent` found an object under that key. */
  OBJECT_EXISTS: exitCodes.storage,
  /** Storage: `ifMatch` found another version of the object. */
  OBJECT_CHANGED: exitCodes.storage,
  /** Storage: credentials or permissions. */
  STORAGE_DENIED: exitCodes.storage,
  /** Storage: asked to slow down. */
  STORAGE_THROTTLED: exitCodes.storage,
  /** Storage: unreachable, timed out, or a passing fault; a retry may help. */
  STORAGE_TRANSIENT: exitCodes.storage,
  /** Storage: it answered with something other than what was stored. */
  STORAGE_CORRUPT: exitCodes.integrity,
} as const

export type ErrorCode = keyof typeof exitCodeOf

export interface ErrorDetails {
  /** What the failure is about: a path, an object key, a backup id, a database name. */
  readonly object?: string | undefined
  /** What to do next, in one sentence. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

export class HoldfastError extends Error {
  override readonly name: string = 'HoldfastError'
  readonly code: ErrorCode
  readonly object: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.object = details.object
    this.hint = details.hint
  }

  get exitCode(): number {
    return exitCodeOf[this.code]
  }
}

/** A failed backup. `partialBackup` says how far it came; nothing of it is visible in the repository. */
export class BackupError extends HoldfastError {
  override readonly name = 'BackupError'
  readonly partialBackup: PartialBackup

  constructor(code: ErrorCode, message: string, partialBackup: PartialBackup, details: ErrorDetails = {}) {
    super(code, message, details)
    this.partialBackup = partialBackup
  }
}

export interface PartialBackup {
  readonly database: string
  readonly type: 'full' | 'incremental' | 'snapshot'
  /** The last phase that had begun. */
  readonly phase: string
  /** Bytes of the database read, and bytes handed to the storage, before the failure. */
  readonly bytesRead: number
  readonly bytesStored: number
  readonly startedAt: number
}

/** A failed restore. The target is as it was before. */
export class RestoreError extends HoldfastError {
  override readonly name = 'RestoreError'
  readonly phase: string

  constructor(code: ErrorCode, message: string, phase: string, details: ErrorDetails = {}) {
    super(code, message, details)
    this.phase = phase
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(exitCodeOf, value)
}

export function hasCode(error: unknown, ...codes: ErrorCode[]): error is HoldfastError {
  return error instanceof HoldfastError && codes.includes(error.code)
}

/**
 * Makes a HoldfastError of anything thrown. System errors keep their meaning (ENOSPC, EACCES, ELOOP, abort); of a SuppressedError
 * the failure that came first counts; all else is INTERNAL.
 */
export function toHoldfastError(thrown: unknown, object?: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  if (thrown instanceof SuppressedError) return unwrapSuppressed(thrown, object)
  if (!(thrown instanceof Error)) return new HoldfastError('INTERNAL', String(thrown), { object, cause: thrown })
  const details = { object, cause: thrown }
  if (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')
    return new HoldfastError('ABORTED', 'The operation was cancelled.', details)
  const systemCode = 'code' in thrown ? thrown.code : undefined
  const place = object ?? ('path' in thrown && typeof thrown.path === 'string' ? thrown.path : 'a file')
  switch (systemCode) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new HoldfastError('DISK_FULL', `No space left while writing ${place}.`, {
        ...details,
        hint: 'Free some space, or choose another place, and run the command again.',
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HoldfastError('ACCESS_DENIED', `Access to ${place} is denied (${systemCode}).`, {
        ...details,
        hint: 'Check the owner and mode of the file and of its folder.',
      })
    case 'ENAMETOOLONG':
      return new HoldfastError('USAGE', `${place} is too long a name for its file system.`, {
        ...details,
        hint: 'Choose a shorter one.',
      })
    case 'ELOOP':
      return new HoldfastError('USAGE', `${place} is a circle of symbolic links.`, {
        ...details,
        hint: 'Name the file itself, or mend the links.',
      })
    default:
      return new HoldfastError('INTERNAL', thrown.message, details)
  }
}

/** What failed first, which is what the user must know of, with what then kept it from being cleaned up. */
function unwrapSuppressed(thrown: SuppressedError, object: string | undefined): HoldfastError {
  const first = toHoldfastError(thrown.suppressed, object)
  const later = toHoldfastError(thrown.error, object)
  const message = `${first.message} Cleaning up after that failed as well: ${later.message}`
  const hint = [first.hint, later.hint].filter((text) => text !== undefined).join(' ')
  const details = { object: first.object, hint: hint === '' ? undefined : hint, cause: thrown }
  if (first instanceof BackupError) return new BackupError(first.code, message, first.partialBackup, details)
  if (first instanceof RestoreError) return new RestoreError(first.code, message, first.phase, details)
  return new HoldfastError(first.code, message, details)
}
