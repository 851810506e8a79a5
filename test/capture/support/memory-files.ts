import { dirname } from 'node:path'
import type { LocalFiles } from '../../../src/capture/spool/local-files.ts'
import type { Random } from '../../support/random.ts'
import { Fuse } from './fuse.ts'

interface Inode {
  content: Buffer
  synced: Buffer | undefined
}

const sectorBytes = 512

/** Files are only appended to: what was synced is their beginning. What was written after it came to the disk in any order. */
function survivor({ content, synced = Buffer.alloc(0) }: Inode, random: Random): Buffer {
  const survived = Buffer.from(content.subarray(0, synced.length + random.below(content.length - synced.length + 1)))
  for (let start = synced.length; start < survived.length; ) {
    const end = Math.min(survived.length, start - (start % sectorBytes) + sectorBytes)
    const fate = random.below(4)
    if (fate === 0) survived.fill(0, start, end)
    else if (fate === 1) survived.fill(0, start + random.below(end - start), end)
    start = end
  }
  return survived
}

/** A disk that knows what would survive a power loss: contents that were synced, under names that were synced. */
export class MemoryFiles {
  #names = new Map<string, Inode>()
  #durable = new Map<string, Inode>()
  /** Who holds which lock. */
  readonly #locks = new Map<string, Fuse>()
  /** Bytes that fit; more is ENOSPC. */
  capacity = Number.POSITIVE_INFINITY

  get paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  contentOf(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.content
  }

  remove(path: string): void {
    this.#names.delete(path)
    this.#durable.delete(path)
  }

  damage(path: string): void {
    const inode = this.#names.get(path)
    const middle = inode === undefined ? 0 : inode.content.length >>> 1
    if (inode !== undefined) inode.content[middle] = (inode.content[middle] ?? 0) ^ 1
  }

  /** Unsynced names are as they were before; of unsynced contents, some sectors are there and some are not, in any order, one torn. */
  losePower(random: Random): void {
    this.#names = new Map(this.#durable)
    for (const inode of this.#names.values()) inode.content = survivor(inode, random)
  }

  as(fuse: Fuse = new Fuse()): LocalFiles {
    const find = (path: string): Inode => {
      const inode = this.#names.get(path)
      if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
      return inode
    }
    return {
      makeFolder: async (path) => fuse.step(`makeFolder ${path}`),
      list: async (folder) => {
        fuse.step(`list ${folder}`)
        return this.paths.filter((path) => dirname(path) === folder).map((path) => path.slice(folder.length + 1))
      },
      create: async (path) => {
        fuse.step(`create ${path}`)
        const inode: Inode = { content: Buffer.alloc(0), synced: undefined }
        this.#names.set(path, inode)
        return {
          write: async (bytes) => {
            fuse.step(`write ${path}`)
            const used = [...this.#names.values()].reduce((sum, { content }) => sum + content.length, 0)
            if (used + bytes.length > this.capacity) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
            inode.content = Buffer.concat([inode.content, bytes])
          },
          sync: async () => {
            fuse.step(`sync ${path}`)
            inode.synced = Buffer.from(inode.content)
          },
          close: async () => fuse.step(`close ${path}`),
        }
      },
      open: async (path) => {
        fuse.step(`open ${path}`)
        const { content } = find(path)
        return {
          size: content.length,
          read: async (offset, length) => Uint8Array.from(content.subarray(offset, offset + length)),
          close: async () => {},
        }
      },
      rename: async (from, to) => {
        fuse.step(`rename ${from}`)
        this.#names.set(to, find(from))
        this.#names.delete(from)
      },
      remove: async (path) => {
        fuse.step(`remove ${path}`)
        this.#names.delete(path)
      },
      lock: async (path) => {
        fuse.step(`lock ${path}`)
        // A process that is gone holds nothing.
        if (this.#locks.get(path)?.isBlown === false) return undefined
        this.#locks.set(path, fuse)
        const release = () => {
          if (this.#locks.get(path) === fuse) this.#locks.delete(path)
        }
        return { [Symbol.dispose]: release }
      },
      syncFolder: async (folder) => {
        fuse.step(`syncFolder ${folder}`)
        for (const path of this.#durable.keys())
          if (dirname(path) === folder && !this.#names.has(path)) this.#durable.delete(path)
        for (const [path, inode] of this.#names) if (dirname(path) === folder) this.#durable.set(path, inode)
      },
    }
  }
}
