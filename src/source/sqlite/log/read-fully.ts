import { read, readv } from 'node:fs'
import { promisify } from 'node:util'

const readSome = promisify(read)
const readSomeInto = promisify(readv)

/** Fills `target` from `position`, as far as the file goes. Returns the bytes read. */
export async function readFully(descriptor: number, target: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < target.length) {
    const { bytesRead } = await readSome(descriptor, target, done, target.length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** Fills the buffers one after the other with a single system call where the kernel allows. Returns the bytes read. */
export async function readFullyInto(
  descriptor: number,
  targets: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let { bytesRead: done } = await readSomeInto(descriptor, targets, position)
  let start = 0
  for (const target of targets) {
    const filled = Math.min(Math.max(done - start, 0), target.length)
    if (filled < target.length) {
      const more = await readFully(descriptor, target.subarray(filled), position + start + filled)
      done += more
      if (filled + more < target.length) break
    }
    start += target.length
  }
  return done
}
