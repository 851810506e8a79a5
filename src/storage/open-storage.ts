import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../errors.ts'
import type { BackupStorage } from './storage.ts'

type OpenBackend = (location: string) => Promise<BackupStorage>

/** Every kind of storage by its URL scheme. A backend is loaded when it is first used. */
const backends: Readonly<Record<string, OpenBackend>> = {
  file: async (location) => await openFolder(filePath(location)),
  memory: async (location) => await openMemory(location.slice('memory:'.length)),
}

/** One letter before the colon is a Windows drive. */
const schemePattern = /^([a-zA-Z][a-zA-Z0-9+.-]+):/

/**
 * Opens the storage at a location without creating or changing anything there.
 * @param location a path (`./backups`, `/srv/backups`; `~` is an ordinary character), a `file:` URL, or `memory:name`
 * @throws USAGE if the scheme is unknown or the location is malformed
 */
export async function openStorage(location: string): Promise<BackupStorage> {
  return await backendOf(location)(location)
}

/**
 * Whether {@link openStorage} knows what a location means, told without looking at the place.
 * @throws USAGE if the scheme is unknown or the location is malformed
 */
export function requireLocation(location: string): void {
  if (backendOf(location) === backends['file']) filePath(location)
}

function backendOf(location: string): OpenBackend {
  if (location === '') throw new HoldfastError('USAGE', 'The location of the storage is empty.')
  const scheme = schemePattern.exec(location)?.[1]?.toLowerCase()
  if (scheme === undefined) return openFolder
  const open = Object.hasOwn(backends, scheme) ? backends[scheme] : undefined
  if (open !== undefined) return open
  const known = Object.keys(backends).map((name) => `${name}:`)
  throw new HoldfastError('USAGE', `There is no storage of the kind "${scheme}:".`, {
    object: withoutSecrets(location),
    hint: `Give a path or a URL that begins with ${known.join(' or ')}.`,
  })
}

async function openFolder(path: string): Promise<BackupStorage> {
  if (path.includes('\0')) throw new HoldfastError('USAGE', 'A path cannot contain a zero byte.')
  const { LocalStorage } = await import('./local.ts')
  return new LocalStorage(path)
}

async function openMemory(name: string): Promise<BackupStorage> {
  const { MemoryStorage } = await import('./memory.ts')
  return new MemoryStorage({ name: name === '' ? undefined : name })
}

function filePath(location: string): string {
  try {
    // In a URL, "file:./backups" is /backups: hardly what is meant.
    if (!/^file:[/\\]/i.test(location)) throw new Error('It is not absolute.')
    return fileURLToPath(location)
  } catch (thrown) {
    throw new HoldfastError('USAGE', `Not a usable file URL: ${withoutSecrets(location)}.`, {
      object: withoutSecrets(location),
      cause: thrown,
      hint: 'Write it like file:///srv/backups, or give the plain path.',
    })
  }
}

function withoutSecrets(location: string): string {
  return location.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, '')
}
