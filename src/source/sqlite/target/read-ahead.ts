import type { FileHandle } from 'node:fs/promises'
import { lockPage } from '../../../util/lock-page.ts'
import { pageHash } from '../../../util/page-hash.ts'
import type { CurrentHashes } from '../../target.ts'

export interface PageRun {
  /** Number of the first page in `bytes`. */
  readonly firstPage: number
  /** Whole pages; valid until the next run is asked for. */
  readonly bytes: Buffer
}

const readBytes = 1024 * 1024
const readsInFlight = 4

/**
 * Every page of the file, in order, by large reads that run ahead of the consumer.
 * @throws RangeError if the file is shorter
 */
export async function* readAhead(
  file: FileHandle,
  pageSize: number,
  pageCount: number,
  signal?: AbortSignal | undefined,
): AsyncGenerator<PageRun, void, undefined> {
  const total = pageSize * pageCount
  const buffers = Array.from({ length: readsInFlight }, () => Buffer.allocUnsafe(Math.min(readBytes, total)))
  const start = (index: number): Promise<Buffer> | undefined => {
    const buffer = buffers[index % readsInFlight]
    const offset = index * readBytes
    if (buffer === undefined || offset >= total) return undefined
    return readFully(file, buffer.subarray(0, Math.min(readBytes, total - offset)), offset)
  }
  const pending: (Promise<Buffer> | undefined)[] = buffers.map((_, index) => start(index))
  try {
    for (let index = 0; ; index += 1) {
      const bytes = await pending.shift()
      if (bytes === undefined) return
      signal?.throwIfAborted()
      yield { firstPage: (index * readBytes) / pageSize + 1, bytes }
      pending.push(start(index + readsInFlight))
    }
  } finally {
    // The caller may close the file once we return; no read may outlive us.
    await Promise.allSettled(pending)
  }
}

async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) throw new RangeError(`The file ends at byte ${position + filled}.`)
    filled += bytesRead
  }
  return buffer
}

/** Hashes of every page but the lock page. */
export async function* hashPages(
  file: FileHandle,
  pageSize: number,
  pageCount: number,
  signal?: AbortSignal | undefined,
): AsyncGenerator<CurrentHashes, void, undefined> {
  const lock = lockPage(pageSize)
  for await (const { firstPage, bytes } of readAhead(file, pageSize, pageCount, signal)) {
    const count = bytes.length / pageSize
    const skip = lock >= firstPage && lock < firstPage + count ? 1 : 0
    const pages = new Uint32Array(count - skip)
    const hashes = new BigUint64Array(count - skip)
    let filled = 0
    for (let index = 0; index < count; index += 1) {
      const page = firstPage + index
      if (page === lock) continue
      pages[filled] = page
      hashes[filled] = pageHash(page, bytes.subarray(index * pageSize, (index + 1) * pageSize))
      filled += 1
    }
    yield { pages, hashes }
  }
}
