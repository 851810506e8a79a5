import type { Pause } from '../../history/pause.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { StateChecksum } from '../../history/state-checksum.ts'
import type { GapRecord } from '../../history/windows.ts'
import type { SegmentInput } from '../../segment/segment-input.ts'
import type { FollowPosition } from '../../source/follower.ts'
import type { LocalFiles } from './local-files.ts'

/** A segment that waits in the spool for the repository. */
export interface SpoolItem {
  /** As it will lie in the repository; `bytes` are those of the segment, without the footer. */
  readonly info: SegmentInfo
  readonly path: string
  readonly startState: StateChecksum
  readonly endState: StateChecksum
  readonly pageCount: number
  readonly pageSize: number
  /** Where the follower stands at its end. */
  readonly position: FollowPosition
  /** Put into the repository before the segment. */
  readonly gap: GapRecord | undefined
  readonly pause: Pause | undefined
}

const chunkBytes = 1024 * 1024

/** The segment of a spooled file, readable by ranges. Each reading opens the file by itself. */
export function spooledInput(files: LocalFiles, path: string, bytes: number): SegmentInput {
  return { size: bytes, read: (offset, length) => readRange(files, path, offset, Math.min(length, bytes - offset)) }
}

/** All bytes of an item's segment, in order. */
export function spooledBytes(files: LocalFiles, { path, info }: SpoolItem): AsyncIterable<Uint8Array> {
  return readRange(files, path, 0, info.bytes)
}

async function* readRange(
  files: LocalFiles,
  path: string,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await files.open(path)
  try {
    for (let done = 0; done < length; ) {
      const chunk = await file.read(offset + done, Math.min(chunkBytes, length - done))
      if (chunk.length === 0) return
      yield chunk
      done += chunk.length
    }
  } finally {
    await file.close()
  }
}
