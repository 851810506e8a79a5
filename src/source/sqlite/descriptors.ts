import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'

/**
 * The one owner of raw descriptors on live databases in this process.
 *
 * POSIX locks belong to (process, inode): closing *any* descriptor on a database or its `-shm` drops every lock that SQLite
 * holds on it in this process. So a descriptor opened here stays open until the last holder has released it, and a holder
 * releases only after its own SQLite connection is closed. Nothing else in the engine may open those files.
 * (`-wal` carries no locks; whoever reads it opens and closes it freely.)
 */
const registry = new Map<string, Entry>()

interface Entry {
  readonly database: number
  /** Every descriptor on this database or a `-shm` of it; closed together. */
  readonly opened: number[]
  readonly shared: { readonly descriptor: number; readonly identity: string }[]
  holders: number
}

/** Which file a path leads to, independent of its name. */
export function fileIdentity(stats: Stats): string {
  return `${stats.dev}:${stats.ino}`
}

export interface DatabaseDescriptors extends Disposable {
  readonly identity: string
  /** Read-only descriptor of the database file. */
  readonly database: number
  /** Read-only descriptor of the `-shm` file at this path. Call it only while a SQLite connection keeps that file in place. */
  sharedMemory(path: string): number
}

/** @throws what `open` and `stat` throw, and NOT_A_DATABASE for anything but a regular file */
export function acquireDescriptors(path: string): DatabaseDescriptors {
  const stats = statSync(path)
  // Opening a pipe would block, and a device may act on being opened.
  if (!stats.isFile()) throw new HoldfastError('NOT_A_DATABASE', `${path} is not a regular file.`, { object: path })
  const known = registry.get(fileIdentity(stats))
  if (known) return hold(fileIdentity(stats), known)

  const descriptor = openSync(path, constants.O_RDONLY)
  // Between stat and open the file may have been replaced, by one that another holder has open already:
  // then closing our descriptor would drop that holder's locks, so it joins the entry instead.
  const identity = fileIdentity(fstatSync(descriptor))
  const raced = registry.get(identity)
  if (raced) {
    raced.opened.push(descriptor)
    return hold(identity, raced)
  }
  const entry: Entry = { database: descriptor, opened: [descriptor], shared: [], holders: 0 }
  registry.set(identity, entry)
  return hold(identity, entry)
}

function hold(identity: string, entry: Entry): DatabaseDescriptors {
  entry.holders++
  let held = true
  return {
    identity,
    database: entry.database,
    sharedMemory: (path) => openSharedMemory(entry, path),
    [Symbol.dispose]() {
      if (!held) return
      held = false
      if (--entry.holders > 0) return
      registry.delete(identity)
      for (const descriptor of entry.opened) closeSync(descriptor)
    },
  }
}

/** A `-shm` may be deleted and made anew while no connection is open, so an older descriptor can be of a former file. */
function openSharedMemory(entry: Entry, path: string): number {
  const identity = fileIdentity(statSync(path))
  const known = entry.shared.find((shared) => shared.identity === identity)
  if (known) return known.descriptor
  const descriptor = openSync(path, constants.O_RDONLY)
  entry.opened.push(descriptor)
  entry.shared.push({ descriptor, identity: fileIdentity(fstatSync(descriptor)) })
  return descriptor
}
