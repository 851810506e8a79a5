import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openStorage } from '../../storage/open-storage.ts'

/** Whether two locations mean one place: a folder is one by whatever links, mounts and words it is named. @throws USAGE for no location */
export async function isSamePlace(one: string, other: string): Promise<boolean> {
  if (one === other) return true
  const [here, there] = await Promise.all([one, other].map(urlOf))
  if (here === there) return true
  const [folder, another] = await Promise.all([here, there].map(folderOf))
  return folder !== undefined && folder === another
}

async function urlOf(location: string): Promise<string> {
  const storage = await openStorage(location)
  await storage.close()
  return storage.url
}

/** Of a folder that is there: which of all folders it is. */
async function folderOf(url: string | undefined): Promise<string | undefined> {
  if (url === undefined || !url.startsWith('file:')) return undefined
  try {
    const { dev, ino } = await stat(fileURLToPath(url), { bigint: true })
    return `${dev} ${ino}`
  } catch {
    // Opening the repository there says why.
    return undefined
  }
}
