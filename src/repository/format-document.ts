import { readFile } from 'node:fs/promises'

/** docs/format.md of this package, to lie beside the data; undefined where somebody packed the program without it. */
export async function formatDocument(): Promise<Uint8Array | undefined> {
  try {
    return await readFile(new URL('../../docs/format.md', import.meta.url))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
