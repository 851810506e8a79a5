import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { throwIfAborted } from '../abort.ts'
import { compareKeys, isKeyPart } from '../keys.ts'
import { guarded, isMissing } from './file-error.ts'
import { sweepTemporary } from './temporary-file.ts'

/** A file of the storage, or a folder whose files come next: `key` ends in `/` for a folder. */
export interface Entry {
  readonly key: string
  readonly path: string
}

/**
 * The objects below a folder in ascending order of their whole keys, folder by folder. A folder takes part in the order
 * as its name with `/`: so `a-b` and `a.b` come before `a/…`, and `a0` after.
 * Temporary files of dead processes that it meets are removed.
 */
export async function* walk(
  root: string,
  prefix: string,
  signal?: AbortSignal,
): AsyncGenerator<Entry, void, undefined> {
  const slash = prefix.lastIndexOf('/') + 1
  yield* walkFolder(root, prefix.slice(0, slash), prefix.slice(slash), signal)
}

async function* walkFolder(
  root: string,
  folderKey: string,
  beginning: string,
  signal?: AbortSignal,
): AsyncGenerator<Entry, void, undefined> {
  throwIfAborted(signal)
  const folder = `${root}/${folderKey}`.replace(/\/$/, '')
  for (const name of await sortedNames(folder, folderKey, beginning)) {
    if (name.endsWith('/')) yield* walkFolder(root, folderKey + name, '', signal)
    else yield { key: folderKey + name, path: `${folder}/${name}` }
  }
}

/** Names in key order, those of folders with a `/` at their end. */
async function sortedNames(folder: string, folderKey: string, beginning: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readFolder(folder, folderKey)) {
    if (!isKeyPart(entry.name)) {
      if (entry.isFile()) await sweepTemporary(folder, entry.name)
      continue
    }
    if (!entry.name.startsWith(beginning)) continue
    const kind = await kindOf(folder, entry)
    if (kind !== 'other') names.push(kind === 'folder' ? `${entry.name}/` : entry.name)
  }
  return names.sort(compareKeys)
}

async function readFolder(folder: string, folderKey: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (thrown) {
    if (isMissing(thrown)) return []
    return await guarded(folderKey, Promise.reject(thrown))
  }
}

async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return 'other'
  try {
    const target = await stat(`${folder}/${entry.name}`)
    return target.isFile() ? 'file' : target.isDirectory() ? 'folder' : 'other'
  } catch (thrown) {
    if (isMissing(thrown)) return 'other'
    return await guarded(entry.name, Promise.reject(thrown))
  }
}
