import { basename, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { databaseNameFrom } from '../repository/layout.ts'

/** Says which SQLite database is meant. It opens nothing: that is for the engine process alone. Made by {@link sqlite}. */
export class SqliteDatabase {
  readonly kind = 'sqlite'
  /** Absolute path of the file. */
  readonly location: string
  /** Its name in a repository unless another is given: `app` for `data/app.db`. */
  readonly defaultName: string

  /** @internal */
  constructor(path: string) {
    this.location = resolve(usable(path))
    this.defaultName = databaseNameFrom(basename(this.location))
  }
}

/** JavaScript lets anything through; and an empty path would mean the working folder. @throws USAGE */
function usable(path: string): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  throw new HoldfastError('USAGE', 'The path of a database is a text that is not empty and has no zero byte.', {
    hint: 'Give it like sqlite("data/app.db").',
  })
}

/**
 * A SQLite database file, as the source of backups. The file is not touched until a backup is made, and never by this
 * process: an engine process reads it, so that this process's own locks on it stay whole.
 *
 * @param path of the database file; relative to the working directory now, not later. Never its `-wal` or `-shm`.
 * @throws USAGE for what is no path
 * @example
 * import { BackupManager, sqlite } from 'holdfast'
 * await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
 * await backups.createFullBackup()
 */
export function sqlite(path: string): SqliteDatabase {
  return new SqliteDatabase(path)
}
