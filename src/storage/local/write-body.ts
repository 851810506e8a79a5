import type { FileHandle } from 'node:fs/promises'
import { EarlyFlush } from '../../util/early-flush.ts'
import { chunksOf, throwIfAborted } from '../abort.ts'
import type { PutBody } from '../storage.ts'
import { guarded } from './file-error.ts'

/** Large enough that the system call costs nothing beside the copying. */
const bufferSize = 1 << 20
/** Most bodies are small: memory for large ones is only taken when that has been filled. */
const firstBufferSize = 1 << 16

/**
 * Writes a body in large pieces. A stream's chunks are gathered in one buffer while the other is being written, so
 * producer and disk work at the same time, and the producer is at most two buffers ahead. What was written is flushed
 * meanwhile, so that little is left to flush at the end.
 * Failures of the producer pass unchanged; failures of the disk become errors about `key`.
 */
export async function writeBody(handle: FileHandle, key: string, body: PutBody, signal?: AbortSignal): Promise<void> {
  if (body instanceof Uint8Array) await writeBytes(handle, key, body, signal)
  else await writeStream(handle, key, body, signal)
}

async function writeBytes(handle: FileHandle, key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  for (let start = 0; start < bytes.length; start += 8 * bufferSize) {
    throwIfAborted(signal)
    await writeFully(handle, key, bytes.subarray(start, start + 8 * bufferSize))
  }
}

async function writeStream(handle: FileHandle, key: string, body: PutBody, signal?: AbortSignal): Promise<void> {
  let filling = Buffer.allocUnsafeSlow(firstBufferSize)
  let spare: typeof filling | undefined
  let used = 0
  let writing = Promise.resolve()
  using early = new EarlyFlush(() => guarded(key, handle.datasync()))
  try {
    for await (const chunk of chunksOf(body, signal)) {
      for (let taken = 0; taken < chunk.length; ) {
        const piece = chunk.subarray(taken, taken + filling.length - used)
        filling.set(piece, used)
        used += piece.length
        taken += piece.length
        if (used < filling.length) continue
        if (filling.length < bufferSize) {
          const larger = Buffer.allocUnsafeSlow(bufferSize)
          larger.set(filling)
          filling = larger
          continue
        }
        await writing
        early.wrote(bufferSize)
        spare ??= Buffer.allocUnsafeSlow(bufferSize)
        writing = writeFully(handle, key, filling)
        // It is awaited below; until then its failure must not count as unhandled.
        writing.catch(() => {})
        ;[filling, spare, used] = [spare, filling, 0]
      }
    }
    await writing
    await writeFully(handle, key, filling.subarray(0, used))
    await early.end()
  } finally {
    await Promise.allSettled([writing])
  }
}

async function writeFully(handle: FileHandle, key: string, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await guarded(key, handle.write(bytes, done, bytes.length - done))
    done += bytesWritten
  }
}
