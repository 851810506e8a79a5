import { CodecPool } from '../../segment/codec.ts'
import type { Codec } from '../../segment/segment.ts'

/** As many as one segment uses at once; the same for however many databases are followed. */
const mostFree = 4

const pools = new Map<string, CodecPool>()

/**
 * Compression contexts that this process keeps from segment to segment. A busy database has several segments a second, and
 * contexts made anew for each are some megabytes of garbage, for which everything in memory is marked again and again.
 */
export function spoolCodecs(codec: Codec, level: number | undefined): CodecPool {
  const name = `${codec} ${level}`
  const present = pools.get(name)
  if (present !== undefined) return present
  const made = new CodecPool(codec, level, mostFree)
  pools.set(name, made)
  return made
}
