import { basename, dirname } from 'node:path'
import { asideFolder, setAside } from './recover-spool.ts'
import type { Spool } from './spool.ts'

/** Empties a broken spool: what is left of it is set aside, never deleted. @returns what to say of it */
export async function abandonSpool(spool: Spool): Promise<readonly string[]> {
  const { files, folder } = spool
  const there = new Set(await files.list(folder))
  const place = { files, folder, asideFolder: asideFolder(dirname(folder)) }
  const warnings: string[] = []
  for (const { path } of spool.startOver()) {
    if (there.has(basename(path))) warnings.push(await setAside(place, path, 'It follows one that has vanished.'))
  }
  return warnings
}
