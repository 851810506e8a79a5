import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { sleep } from '../abort.ts'
import type { ObjectInfo } from '../storage.ts'

/**
 * Gives a file that was just written a modification time that makes its etag — inode, modification time, size — one that
 * no other version of the object has, had or will have.
 *
 * Two versions with different inodes differ. Two with the same inode cannot have lived at the same time: the earlier was
 * published, hence stamped, and removed before the later was created. So it is enough that a file's stamp is later than its
 * creation (`createdAt`, by the clock, read after the file was created) and not later than its publication. The kernel's own stamps do not
 * give that: they move in steps of up to 10 ms, in which a whole life of an object fits. Below the millisecond the stamp is
 * random, which covers all but one in a thousand cases should the clock be set back between the two.
 */
export async function stampVersion(handle: FileHandle, createdAt: number): Promise<void> {
  if (Date.now() <= createdAt) await sleep(2)
  const stamp = (Math.max(Date.now(), createdAt + 1) + 0.01 + Math.random() * 0.98) / 1000
  await handle.utimes(stamp, stamp)
}

export function objectInfo(key: string, facts: Pick<BigIntStats, 'ino' | 'mtimeNs' | 'size'>): ObjectInfo {
  return {
    key,
    size: Number(facts.size),
    etag: [facts.ino, facts.mtimeNs, facts.size].map((part) => part.toString(36)).join('-'),
    modifiedAt: Number(facts.mtimeNs / 1_000_000n),
  }
}
