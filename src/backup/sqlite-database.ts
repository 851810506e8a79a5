import { basename, resolve } from 'node:path'
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
    this.location = resolve(path)
    this.defaultName = databaseNameFrom(basename(this.location))
  }
}

/**
 * A SQLite database file, as the source of backups. The file is not touched until a backup is made, and never by this
 * process: an engine process reads it, so that this process's own locks on it stay whole.
 *
 * @param path of the database file; relative to the working directory now, not later. Never its `-wal` or `-shm`.
 * @example
 * import { BackupManager, sqlite } from 'holdfast'
 * await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: './backups', init: true })
 * await backups.createFullBackup()
 */
export function sqlite(path: string): SqliteDatabase {
  return new SqliteDatabase(path)
}
