/**
 * A spooled file is a whole segment and, after it, a footer: where the follower stands at the segment's end, and the gap that the
 * segment ends, or the pause in which its first commits were made, if any. So segment and position come into being in one step, by one rename.
 */
import { z } from 'zod'
import { HoldfastError } from '../../errors.ts'
import type { Pause } from '../../history/pause.ts'
import type { GapRecord } from '../../history/windows.ts'
import { gapBody, gapDocument } from '../../repository/gap-record.ts'
import { pauseBody, pauseDocument } from '../../repository/pause-record.ts'
import type { FollowPosition } from '../../source/follower.ts'
import { hash64 } from '../../util/page-hash.ts'

export interface SpoolFooter {
  readonly position: FollowPosition
  readonly gap: GapRecord | undefined
  readonly pause: Pause | undefined
}

/** Of 32 bits, signed or not. */
const word = z.int().min(-0x8000_0000).max(0xffff_ffff)

export const followPosition: z.ZodType<FollowPosition> = z.strictObject({
  file: z.string(),
  pageSize: z.int().min(512).max(65_536),
  pageCount: z.int().min(0),
  salts: z.string(),
  state: z.string().regex(/^[0-9a-f]{16}$/),
  frame: z.int().min(0),
  checksum: z.tuple([word, word]).readonly(),
})

const footerBody = z.strictObject({
  position: followPosition,
  gap: gapDocument.nullable(),
  pause: pauseDocument.optional(),
})

const magic = Buffer.from('HFSPOOL1')
/** JSON, then its length (u32), its XXH64 (u64) and the magic. */
const tailLength = 4 + 8 + magic.length
const maxFooter = 65_536

export function encodeFooter({ position, gap, pause }: SpoolFooter): Uint8Array {
  const records = {
    gap: gap === undefined ? null : gapBody(gap),
    ...(pause === undefined ? {} : { pause: pauseBody(pause) }),
  }
  const body = Buffer.from(JSON.stringify({ position, ...records }))
  const tail = Buffer.alloc(12)
  tail.writeUInt32LE(body.length, 0)
  tail.writeBigUInt64LE(hash64(body), 4)
  return Buffer.concat([body, tail, magic])
}

export interface FooterAt {
  readonly footer: SpoolFooter
  /** Bytes of the segment before it. */
  readonly segmentBytes: number
}

/** @throws INTEGRITY (without an object) */
export async function readFooter(file: {
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
}): Promise<FooterAt> {
  const { size } = file
  if (size < tailLength) throw damage(`it has only ${size} bytes`)
  const tail = Buffer.from(await file.read(size - tailLength, tailLength))
  if (tail.length !== tailLength || !tail.subarray(12).equals(magic))
    throw damage('its end is not that of a spooled segment')
  const length = tail.readUInt32LE(0)
  const start = size - tailLength - length
  if (length > maxFooter || start < 0) throw damage('its footer has an impossible length')
  const body = await file.read(start, length)
  if (hash64(body) !== tail.readBigUInt64LE(4)) throw damage('its footer does not match its checksum')
  const parsed = footerBody.safeParse(parseJson(Buffer.from(body).toString('utf8')))
  if (!parsed.success) throw damage(`its footer is not understood: ${z.prettifyError(parsed.error)}`)
  const { position, gap, pause } = parsed.data
  return { footer: { position, gap: gap ?? undefined, pause }, segmentBytes: start }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function damage(message: string): HoldfastError {
  return new HoldfastError('INTEGRITY', message)
}
