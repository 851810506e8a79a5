/** The first 100 bytes of a database. Source: https://sqlite.org/fileformat2.html#the_database_header */
export interface FileHeader {
  /** Bytes a page. */
  readonly pageSize: number
  readonly journal: 'rollback' | 'wal' | 'unknown'
  /** Bytes at the end of each page that SQLite leaves to an extension, such as a cipher or a page checksum. */
  readonly reservedBytes: number
  /** Pages of the database, or undefined where a writer older than SQLite 3.7 left the field stale. */
  readonly pageCount: number | undefined
}

export const fileHeaderBytes = 100
const magic = Buffer.from('SQLite format 3\0', 'latin1')

/** SQLite takes a single byte for an empty file too: on some file systems, it once wrote one there to be able to lock it. */
export function isEmptyFile(bytes: number): boolean {
  return bytes <= 1
}

/** Undefined if this is no SQLite header. */
export function parseFileHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.length < fileHeaderBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  const field = bytes.readUInt16BE(16)
  const pageSize = field === 1 ? 65536 : field
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return undefined
  const pageCount = bytes.readUInt32BE(28)
  const countIsValid = pageCount > 0 && bytes.readUInt32BE(24) === bytes.readUInt32BE(92)
  return {
    pageSize,
    journal: journalOf(bytes.readUInt8(18), bytes.readUInt8(19)),
    reservedBytes: bytes.readUInt8(20),
    pageCount: countIsValid ? pageCount : undefined,
  }
}

function journalOf(writeVersion: number, readVersion: number): FileHeader['journal'] {
  if (writeVersion > 2 || readVersion > 2) return 'unknown'
  return readVersion === 2 ? 'wal' : 'rollback'
}

/**
 * Whether a file without SQLite's header may be an encrypted database: whole 512-byte units of bytes as even as noise.
 * A compressed file can look the same, so this chooses between two error messages and nothing else.
 */
export function looksEncrypted(start: Buffer, fileBytes: number): boolean {
  if (fileBytes === 0 || fileBytes % 512 !== 0 || start.length < 512) return false
  const counts = new Uint32Array(256)
  for (const byte of start) counts[byte] = (counts[byte] ?? 0) + 1
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / start.length) * Math.log2(count / start.length)
  // 512 random bytes measure 7.5 to 7.7 bits a byte, 4096 above 7.9; text stays below 6.
  return bits > 7.2
}
