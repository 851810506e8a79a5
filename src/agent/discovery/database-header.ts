import { open } from 'node:fs/promises'

/** `SQLite format 3` and a zero byte: file format, section 1.3.1. */
const magic = Buffer.from('SQLite format 3\0', 'latin1')

/**
 * Whether a file looks like a SQLite database. Only for a process that has no SQLite connection of its own: closing the file lets
 * go of the locks that this process holds on it.
 * @throws the system's error, such as EACCES
 */
export async function hasDatabaseHeader(path: string): Promise<boolean> {
  await using file = await open(path, 'r')
  const { bytesRead, buffer } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0)
  return bytesRead === magic.length && buffer.equals(magic)
}
