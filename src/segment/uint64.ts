import { malformed } from './damage.ts'

const littleEndianHost = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 0x1_0000_0000, true)
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** A u64 that must be a safe integer. */
export function getUint64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true)
  if (!Number.isSafeInteger(value)) throw malformed('a number is too large')
  return value
}

/** Little-endian bytes of the values; on most hosts a view of them. */
export function bytesOfUint64s(values: BigUint64Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return littleEndianHost ? bytes : Buffer.from(bytes).swap64()
}

export function uint64sOfBytes(bytes: Uint8Array): BigUint64Array {
  const values = new BigUint64Array(bytes.length / 8)
  const copy = Buffer.from(values.buffer)
  copy.set(bytes)
  if (!littleEndianHost) copy.swap64()
  return values
}
