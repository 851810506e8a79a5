import { HoldfastError } from '../errors.ts'
import { toLsn } from '../history/lsn.ts'
import type { SegmentKind } from '../history/segment-info.ts'
import { hash64 } from '../util/page-hash.ts'
import { malformed } from './damage.ts'
import { formatVersion, headerLength, maxPageSize, minPageSize } from './limits.ts'
import type { Codec, SegmentHeader, SourceKind } from './segment.ts'
import { getUint64, setUint64, viewOf } from './uint64.ts'

const magic = Uint8Array.of(0x89, 0x48, 0x46, 0x53, 0x0d, 0x0a, 0x1a, 0x0a)
const sourceKinds: readonly (SourceKind | undefined)[] = [undefined, 'sqlite']
const segmentKinds: readonly (SegmentKind | undefined)[] = [undefined, 'base', 'delta', 'log']
const codecs: readonly Codec[] = ['none', 'gzip', 'zstd']
const checksummed = headerLength - 8

export function codecNumber(codec: Codec): number {
  return codecs.indexOf(codec)
}

export function codecOf(number: number): Codec {
  const codec = codecs[number]
  if (codec === undefined) throw malformed(`unknown codec ${number}`)
  return codec
}

/** The first 128 bytes of a segment file. */
export function encodeHeader(header: SegmentHeader): Uint8Array {
  if (!isPageSize(header.pageSize)) throw new HoldfastError('INTERNAL', `Page size ${header.pageSize} is impossible.`)
  if (header.salt.length !== 16) throw new HoldfastError('INTERNAL', 'A segment salt has 16 bytes.')
  if (header.kind === 'base' && (header.from !== 0 || header.startState !== 0n)) {
    throw new HoldfastError('INTERNAL', 'A base starts at 0, from the empty state.')
  }
  const bytes = new Uint8Array(headerLength)
  const view = viewOf(bytes)
  bytes.set(magic)
  view.setUint16(8, formatVersion, true)
  view.setUint16(10, headerLength, true)
  view.setUint32(12, 0, true)
  view.setUint8(16, sourceKinds.indexOf(header.sourceKind))
  view.setUint8(17, segmentKinds.indexOf(header.kind))
  view.setUint8(18, codecNumber(header.codec))
  view.setUint8(19, 0)
  view.setUint32(20, header.pageSize, true)
  setUint64(view, 24, header.from)
  view.setUint32(32, header.epoch, true)
  setUint64(view, 40, header.firstTime)
  view.setBigUint64(48, header.startState, true)
  bytes.set(header.salt, 56)
  view.setBigUint64(checksummed, hash64(bytes.subarray(0, checksummed)), true)
  return bytes
}

/**
 * @throws FORMAT_TOO_NEW for a later version or an unknown feature, whatever else the header holds
 * @throws INTEGRITY (without an object) if the bytes are no header
 */
export function decodeHeader(bytes: Uint8Array, object: string): SegmentHeader {
  if (bytes.length !== headerLength) throw malformed('the header is cut short')
  if (magic.some((byte, at) => bytes[at] !== byte)) throw malformed('it does not begin like a segment')
  const view = viewOf(bytes)
  if (view.getBigUint64(checksummed, true) !== hash64(bytes.subarray(0, checksummed))) {
    throw malformed('the header does not match its checksum')
  }
  refuseUnknown(view, object)
  const kind = segmentKinds[view.getUint8(17)]
  const sourceKind = sourceKinds[view.getUint8(16)]
  const pageSize = view.getUint32(20, true)
  if (view.getUint16(10, true) !== headerLength) throw malformed('the header states a wrong length')
  if (kind === undefined) throw malformed(`unknown segment kind ${view.getUint8(17)}`)
  if (sourceKind === undefined) throw malformed(`unknown source kind ${view.getUint8(16)}`)
  if (!isPageSize(pageSize)) throw malformed(`page size ${pageSize} is impossible`)
  return {
    sourceKind,
    kind,
    pageSize,
    from: toLsn(getUint64(view, 24)),
    epoch: view.getUint32(32, true),
    firstTime: getUint64(view, 40),
    startState: view.getBigUint64(48, true),
    codec: codecOf(view.getUint8(18)),
    cipher: 'none',
    salt: Uint8Array.from(bytes.subarray(56, 72)),
  }
}

function refuseUnknown(view: DataView, object: string): void {
  const version = view.getUint16(8, true)
  if (version !== formatVersion) {
    throw tooNew(
      object,
      `was written in segment format ${version}; this version of Holdfast reads format ${formatVersion}`,
    )
  }
  const features = view.getUint32(12, true)
  if ((features & 1) !== 0 || view.getUint8(19) !== 0)
    throw tooNew(object, 'is encrypted, which needs a later version of Holdfast')
  if (features !== 0) {
    throw tooNew(object, `uses format features 0x${features.toString(16)}, which need a later version of Holdfast`)
  }
}

export function tooNew(object: string, what: string): HoldfastError {
  return new HoldfastError('FORMAT_TOO_NEW', `Segment ${object} ${what}.`, {
    object,
    hint: 'Use a version of Holdfast at least as new as the one that wrote it.',
  })
}

export function isPageSize(value: number): boolean {
  return value >= minPageSize && value <= maxPageSize && Number.isInteger(Math.log2(value))
}
