/** Which commit of an oracle a state is. Two databases that go on from one state soon differ in the mark. */
export interface CommitStamp {
  readonly seq: number
  /** 31 bits of the digest. */
  readonly mark: number
}

/** Byte offsets of `user_version` and `application_id` in the file's header. */
const seqOffset = 60
const markOffset = 68

export function markOf(digest: bigint): number {
  return Number(BigInt.asUintN(31, digest))
}

/** Of a database whose writers stamp it; all zero before the first commit. */
export function stampOf(image: Uint8Array): CommitStamp {
  const header = new DataView(image.buffer, image.byteOffset)
  return { seq: header.getUint32(seqOffset), mark: header.getUint32(markOffset) }
}
