/** The few file operations that the spool and the position are made of, each a step at which a test can pull the plug. */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { holdExclusiveLock } from '../../storage/local/held-locks.ts'

export interface LocalFiles {
  /** With all parents, mode 0700. */
  makeFolder(path: string): Promise<void>
  /** Names of the files in a folder. */
  list(folder: string): Promise<string[]>
  /** Creates or empties a file, mode 0600. */
  create(path: string): Promise<LocalWriter>
  open(path: string): Promise<LocalReader>
  rename(from: string, to: string): Promise<void>
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>
  /** Keeps all other processes that ask for it out for as long as this one lives; undefined if one of them has it. */
  lock(path: string): Promise<Disposable | undefined>
  /** Makes creations, renames and removals in the folder survive power loss. */
  syncFolder(path: string): Promise<void>
}

export interface LocalWriter {
  write(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface LocalReader {
  readonly size: number
  /** Fewer bytes only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

export const localFiles: LocalFiles = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  list: async (folder) => {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  },
  create: async (path) => {
    const handle = await open(path, 'w', 0o600)
    return {
      write: async (bytes) => {
        for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  open: async (path) => {
    const handle = await open(path, 'r')
    const { size } = await handle.stat()
    return {
      size,
      read: async (offset, length) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
        let filled = 0
        while (filled < bytes.length) {
          const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled)
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return bytes.subarray(0, filled)
      },
      close: () => handle.close(),
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  lock: (path) => holdExclusiveLock(path),
  syncFolder: async (path) => {
    // Windows can neither open nor flush a folder; NTFS journals names by itself.
    if (process.platform === 'win32') return
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
