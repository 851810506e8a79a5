/** The files beside a database that SQLite would read into whatever stands under its name: `-wal`, `-shm`, `-journal`. */
import { renameSync, rmSync, statSync } from 'node:fs'

export const sidecarSuffixes = ['-wal', '-shm', '-journal'] as const

export function sidecarPaths(path: string): string[] {
  return sidecarSuffixes.map((suffix) => path + suffix)
}

/** Bytes in `-wal` and `-journal`: what SQLite would read into the database. */
export function sizeOfSidecars(path: string): number {
  const sizeOf = (suffix: string) => statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0
  return sizeOf('-wal') + sizeOf('-journal')
}

export function removeSidecars(path: string): void {
  for (const sidecar of sidecarPaths(path)) rmSync(sidecar, { force: true })
}

/** Sidecars of a database that SQLite cannot read; they may be all that someone else's tool needs, so they are not lost early. */
export interface KeptSidecars {
  /** The new file is in place: they belong to nothing any more. */
  discard(): void
  /** The old file stays: put them back. */
  putBack(): void
}

/** Renames `-wal` and `-journal` out of the way. `kept` names them; the old file's inode tells later whether it still stands. */
export function setSidecarsAside(path: string, kept: (suffix: string, inode: number) => string): KeptSidecars {
  const inode = statSync(path, { throwIfNoEntry: false })?.ino ?? 0
  rmSync(`${path}-shm`, { force: true })
  const moved: { readonly from: string; readonly to: string }[] = []
  const putBack = () => {
    for (const { from, to } of moved) renameSync(to, from)
  }
  try {
    for (const suffix of ['-wal', '-journal'] as const) {
      const from = path + suffix
      if (statSync(from, { throwIfNoEntry: false }) === undefined) continue
      const to = kept(suffix, inode)
      renameSync(from, to)
      moved.push({ from, to })
    }
  } catch (error) {
    putBack()
    throw error
  }
  return {
    putBack,
    discard: () => {
      for (const { to } of moved) rmSync(to, { force: true })
    },
  }
}
