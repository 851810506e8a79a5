import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Unsent } from '../../capture/capture-events.ts'

/**
 * What waits in a state folder for the repository, also of an earlier following.
 * @param stateFolder of one followed database
 * @throws the system's error
 */
export async function readSpool(stateFolder: string): Promise<Unsent> {
  const folder = join(stateFolder, 'spool')
  let segments = 0
  let bytes = 0
  for (const name of (await present(readdir(folder))) ?? []) {
    // What was uploaded since then is gone.
    const facts = await present(stat(join(folder, name)))
    if (facts === undefined) continue
    segments += 1
    bytes += facts.size
  }
  return { segments, bytes }
}

async function present<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  }
}
