import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { createEmpty, lockFailure } from './lock-file.ts'

/** SQLite's own limit is ten databases a connection, besides the one that it is opened with. */
const mostAttached = 10

/** A connection of SQLite takes 70 KB, a database that is attached to one 14 KB. */
interface Connection {
  readonly database: DatabaseSync
  readonly free: Set<string>
}

const connections = new Set<Connection>()

/**
 * Takes the lock that `withExclusiveLock` takes, without waiting, to hold it for long beside thousands of others. It keeps this
 * process and all others out until it is disposed of, or the process ends, however that happens.
 * @returns undefined if somebody has it
 * @throws STORAGE_DENIED, DISK_FULL
 */
export async function holdExclusiveLock(path: string): Promise<Disposable | undefined> {
  const { DatabaseSync } = await import('node:sqlite')
  createEmpty(path)
  const connection = [...connections].find(({ free }) => free.size > 0) ?? newConnection(DatabaseSync)
  const [name = ''] = connection.free
  if (!attach(connection, name, resolve(path))) return undefined
  let isHeld = true
  return {
    [Symbol.dispose]: () => {
      if (isHeld) detach(connection, name)
      isHeld = false
    },
  }
}

function newConnection(open: typeof DatabaseSync): Connection {
  const free = new Set(Array.from({ length: mostAttached }, (_, index) => `lock${index}`))
  return { database: new open(':memory:', { timeout: 0 }), free }
}

function attach(connection: Connection, name: string, path: string): boolean {
  const { database, free } = connection
  try {
    database.prepare(`ATTACH ? AS ${name}`).run(path)
    free.delete(name)
    connections.add(connection)
    // In this locking mode, what a transaction has locked stays locked after it. The others are locked by us already.
    database.exec(
      `PRAGMA ${name}.cache_size = 0; PRAGMA ${name}.journal_mode = MEMORY; PRAGMA ${name}.locking_mode = EXCLUSIVE;
      BEGIN EXCLUSIVE; COMMIT`,
    )
    return true
  } catch (thrown) {
    if (free.has(name)) closeIfUnused(connection)
    else detach(connection, name)
    const failure = lockFailure(thrown, path)
    if (failure === 'busy') return false
    throw failure
  }
}

function detach(connection: Connection, name: string): void {
  connection.database.exec(`DETACH ${name}`)
  connection.free.add(name)
  closeIfUnused(connection)
}

function closeIfUnused(connection: Connection): void {
  if (connection.free.size < mostAttached) return
  connections.delete(connection)
  connection.database.close()
}
