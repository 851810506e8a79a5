import { hash64 } from '../util/page-hash.ts'
import { malformed } from './damage.ts'
import { codecNumber, codecOf } from './header.ts'
import { blockEntryLength, headerLength, maxRootRaw, maxSealOverhead, rootHeadLength, trailerLength } from './limits.ts'
import type { Codec } from './segment.ts'
import { getUint64, setUint64, viewOf } from './uint64.ts'

const magic = Uint8Array.of(0x48, 0x46, 0x53, 0x45, 0x4e, 0x44, 0x0d, 0x0a)
const checksummed = 32

export interface Trailer {
  readonly rootOffset: number
  readonly rootStoredLength: number
  readonly rootRawLength: number
  readonly rootCodec: Codec
}

export function encodeTrailer(trailer: Trailer, root: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(trailerLength)
  const view = viewOf(bytes)
  setUint64(view, 0, trailer.rootOffset)
  view.setUint32(8, trailer.rootStoredLength, true)
  view.setUint32(12, trailer.rootRawLength, true)
  view.setUint8(16, codecNumber(trailer.rootCodec))
  setUint64(view, 24, trailer.rootOffset + trailer.rootStoredLength + trailerLength)
  view.setBigUint64(checksummed, rootChecksum(root, bytes), true)
  bytes.set(magic, checksummed + 8)
  return bytes
}

/** @throws INTEGRITY (without an object) if the bytes are no trailer of an object of `size` bytes */
export function decodeTrailer(bytes: Uint8Array, size: number): Trailer {
  if (magic.some((byte, at) => bytes[checksummed + 8 + at] !== byte))
    throw malformed('the object does not end like a segment; it may be cut')
  const view = viewOf(bytes)
  if (view.getUint8(17) !== 0) throw malformed(`unknown cipher ${view.getUint8(17)}`)
  const stated = getUint64(view, 24)
  if (stated !== size) throw malformed(`the object has ${size} bytes instead of ${stated}`)
  const trailer = {
    rootOffset: getUint64(view, 0),
    rootStoredLength: view.getUint32(8, true),
    rootRawLength: view.getUint32(12, true),
    rootCodec: codecOf(view.getUint8(16)),
  }
  const { rootOffset, rootStoredLength, rootRawLength } = trailer
  if (rootOffset < headerLength || rootOffset + rootStoredLength + trailerLength !== size) {
    throw malformed('the root is not where the trailer says')
  }
  // Every block has at least one byte, so the object's size bounds their number.
  const mostRaw = rootHeadLength + blockEntryLength * (rootOffset - headerLength)
  const wholeEntries = rootRawLength >= rootHeadLength && (rootRawLength - rootHeadLength) % blockEntryLength === 0
  if (
    !wholeEntries ||
    rootRawLength > Math.min(maxRootRaw, mostRaw) ||
    rootStoredLength > rootRawLength + maxSealOverhead
  ) {
    throw malformed('the root has impossible lengths')
  }
  return trailer
}

/** @throws INTEGRITY (without an object) */
export function checkRoot(root: Uint8Array, trailer: Uint8Array): void {
  if (viewOf(trailer).getBigUint64(checksummed, true) !== rootChecksum(root, trailer)) {
    throw malformed('the root and trailer do not match their checksum')
  }
}

function rootChecksum(root: Uint8Array, trailer: Uint8Array): bigint {
  return hash64(Buffer.concat([root, trailer.subarray(0, checksummed)]))
}
