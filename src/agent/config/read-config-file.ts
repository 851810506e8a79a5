import { readFile, stat } from 'node:fs/promises'
import { HoldfastError } from '../../errors.ts'

/**
 * The bytes of a configuration file. It is read again and again, so it must be a file: reading from a pipe might wait for ever, and what was
 * read once is gone.
 * @throws CONFIG_INVALID for a pipe or a device, and what the system throws
 */
export async function readConfigFile(path: string): Promise<Uint8Array> {
  const found = await stat(path)
  if (!found.isFile() && !found.isDirectory())
    throw new HoldfastError('CONFIG_INVALID', 'It is a pipe or a device, not a file.', { object: path })
  return await readFile(path)
}
