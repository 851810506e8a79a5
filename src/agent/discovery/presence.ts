import { lstat, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Only what the system says is not there is gone: what cannot be looked at is hidden, and may well be there. */
export type Presence =
  | { readonly state: 'there' }
  | { readonly state: 'gone' }
  | { readonly state: 'hidden'; readonly problem: string }

/** Never fails. A link that leads nowhere is there. */
export async function presenceOf(path: string): Promise<Presence> {
  try {
    await lstat(path)
    return { state: 'there' }
  } catch (thrown) {
    return isAbsence(thrown) ? { state: 'gone' } : { state: 'hidden', problem: messageOf(thrown) }
  }
}

/** Why a listing leaves out a file that is there: a folder above it, as far as this one, cannot be listed. Never fails. */
export async function hidingProblem(path: string, root: string): Promise<string | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await readdir(folder)
    } catch (thrown) {
      if (!isAbsence(thrown)) return messageOf(thrown)
    }
    if (folder.length <= root.length || folder === dirname(folder)) return undefined
  }
}

export function isAbsence(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
