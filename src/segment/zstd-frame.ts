import { malformed } from './damage.ts'
import { viewOf } from './uint64.ts'

const magicNumber = 0xfd2f_b528
const reservedBlockType = 3
const runLengthBlockType = 1

/**
 * Throws unless the bytes are exactly one whole Zstandard frame without a dictionary. The decompressor is kept from frame to
 * frame: a cut frame would leave it waiting, and spoil the next.
 */
export function checkZstdFrame(bytes: Uint8Array, rawLength: number): void {
  if (zstdFrameLength(bytes, rawLength) !== bytes.length) {
    throw malformed('the Zstandard frame does not end where it should')
  }
}

/** Walks the headers of the frame at the start of the bytes, without decompressing. Source: RFC 8878, section 3.1.1. */
export function zstdFrameLength(bytes: Uint8Array, rawLength: number): number {
  const view = viewOf(bytes)
  try {
    if (view.getUint32(0, true) !== magicNumber) throw malformed('it is no Zstandard frame')
    const descriptor = view.getUint8(4)
    const singleSegment = (descriptor & 0x20) !== 0
    if ((descriptor & 0x0b) !== 0) throw malformed('the Zstandard frame needs a dictionary or has reserved bits set')
    const sizeFlag = descriptor >>> 6
    let position = 5 + (singleSegment ? 0 : 1)
    if (sizeFlag !== 0 || singleSegment) {
      const size = contentSize(view, position, sizeFlag)
      if (size !== rawLength) throw malformed(`the Zstandard frame states ${size} bytes instead of ${rawLength}`)
      position += sizeFlag === 0 ? 1 : 2 ** sizeFlag
    }
    for (let last = false; !last; ) {
      const header = view.getUint16(position, true) | (view.getUint8(position + 2) << 16)
      last = (header & 1) !== 0
      const type = (header >>> 1) & 3
      if (type === reservedBlockType) throw malformed('the Zstandard frame has a block of a reserved type')
      position += 3 + (type === runLengthBlockType ? 1 : header >>> 3)
    }
    if ((descriptor & 0x04) !== 0) position += 4
    if (position > bytes.length) throw malformed('the Zstandard frame is cut short')
    return position
  } catch (error) {
    if (error instanceof RangeError) throw malformed('the Zstandard frame is cut short', error)
    throw error
  }
}

function contentSize(view: DataView, position: number, sizeFlag: number): number {
  switch (sizeFlag) {
    case 0:
      return view.getUint8(position)
    case 1:
      return view.getUint16(position, true) + 256
    case 2:
      return view.getUint32(position, true)
    default:
      return Number(view.getBigUint64(position, true))
  }
}
