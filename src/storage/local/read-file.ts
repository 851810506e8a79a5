import { type FileHandle, open } from 'node:fs/promises'
import { HoldfastError } from '../../errors.ts'
import { throwIfAborted } from '../abort.ts'
import { objectNotFound } from '../conditions.ts'
import { resolveRange } from '../range.ts'
import type { GetOptions } from '../storage.ts'
import { fileError, guarded, isMissing, systemCode } from './file-error.ts'

const chunkSize = 512 * 1024

/** Reads a range of a file, one chunk ahead of the reader. */
export async function* readFileRange(
  path: string,
  key: string,
  options: GetOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(options.signal)
  const handle = await openObject(path, key)
  let ahead: Promise<Buffer> | undefined
  try {
    const facts = await guarded(key, handle.stat())
    if (!facts.isFile()) throw objectNotFound(key)
    const { start, end } = resolveRange(facts.size, options)
    let free: Buffer | undefined
    const next = (position: number) => {
      if (position >= end) return undefined
      const length = Math.min(chunkSize, end - position)
      const memory = free ?? Buffer.allocUnsafeSlow(length)
      free = undefined
      return readChunk(handle, key, position, memory.subarray(0, length))
    }
    ahead = next(start)
    for (let position = start; ahead !== undefined; ) {
      const chunk = await ahead
      throwIfAborted(options.signal)
      position += chunk.length
      ahead = next(position)
      // It is awaited in the next round; until then its failure must not count as unhandled.
      ahead?.catch(() => {})
      yield chunk
      throwIfAborted(options.signal)
      if (options.transient === true) free = wholeOf(chunk)
    }
  } finally {
    await Promise.allSettled([ahead])
    await handle.close()
  }
}

async function openObject(path: string, key: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (thrown) {
    throw isMissing(thrown) ? objectNotFound(key, thrown) : fileError(thrown, key)
  }
}

async function readChunk(handle: FileHandle, key: string, position: number, buffer: Buffer): Promise<Buffer> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesRead } = await readOnce(handle, key, buffer.subarray(done), position + done)
    // Objects are only ever replaced whole, so a file that shrinks under us was changed by somebody else.
    if (bytesRead === 0)
      throw new HoldfastError('STORAGE_CORRUPT', `The object ${key} was truncated while being read.`, { object: key })
    done += bytesRead
  }
  return buffer
}

/** The file could be opened, so it is not the disk that is away, but these bytes: damage of this object, which costs no other. */
async function readOnce(handle: FileHandle, key: string, buffer: Buffer, position: number) {
  try {
    return await handle.read(buffer, 0, buffer.length, position)
  } catch (thrown) {
    if (systemCode(thrown) !== 'EIO') throw fileError(thrown, key)
    throw new HoldfastError('STORAGE_CORRUPT', `The disk cannot read the object ${key} (EIO).`, {
      object: key,
      cause: thrown,
      hint: 'Copy the repository to another disk while the rest of it can be read.',
    })
  }
}

function wholeOf(chunk: Buffer): Buffer {
  return Buffer.from(chunk.buffer)
}
