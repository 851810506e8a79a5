/** How an engine comes by the storage that its host works with. */
import { z } from 'zod'
import { HoldfastError } from '../errors.ts'
import { openStorage } from '../storage/open-storage.ts'
import type { BackupStorage } from '../storage/storage.ts'
import type { Handlers, Peer } from './peer.ts'
import { remoteStorage } from './remote-storage.ts'
import { serveStorage } from './serve-storage.ts'

export const storageAddress = z.discriminatedUnion('kind', [
  /** The engine opens it by itself. */
  z.strictObject({ kind: z.literal('location'), location: z.string() }),
  /** It lives in the host's process, which serves it. */
  z.strictObject({ kind: z.literal('host') }),
])
export type StorageAddress = z.infer<typeof storageAddress>

/** The host's side. */
export interface StorageLink extends AsyncDisposable {
  readonly storage: BackupStorage
  readonly address: StorageAddress
  /** For {@link startEngine}. */
  readonly handlers: Handlers
}

/** @throws USAGE, STORAGE_* */
export async function linkStorage(place: string | BackupStorage): Promise<StorageLink> {
  if (typeof place !== 'string') {
    requireStorage(place)
    // It belongs to whoever made it, who also closes it.
    return { storage: place, address: { kind: 'host' }, handlers: serveStorage(place), [Symbol.asyncDispose]: nothing }
  }
  const storage = await openStorage(place)
  const shared = { storage, [Symbol.asyncDispose]: () => storage.close() }
  if (storage.url.startsWith('memory:')) {
    return { ...shared, address: { kind: 'host' }, handlers: serveStorage(storage) }
  }
  // The URL of a folder is absolute: it stays right when this process changes its working directory.
  const location = storage.url.startsWith('file:') ? storage.url : place
  return { ...shared, address: { kind: 'location', location }, handlers: {} }
}

/** Names the place of a link again for another one; a relative path would by then mean another place, if the working folder was changed. */
export function placeOf({ address, storage }: StorageLink): string | BackupStorage {
  return address.kind === 'location' ? address.location : storage
}

/** The engine's side. */
export async function openLinkedStorage(
  address: StorageAddress,
  host: Peer,
  signal: AbortSignal,
): Promise<BackupStorage> {
  return address.kind === 'host' ? await remoteStorage(host, { signal }) : await openStorage(address.location)
}

const operations = ['put', 'get', 'head', 'list', 'delete', 'close'] as const satisfies readonly (keyof BackupStorage)[]

/** JavaScript lets anything through. @throws USAGE */
function requireStorage(place: BackupStorage | null | undefined): void {
  const isStorage =
    place !== null && typeof place === 'object' && operations.every((name) => typeof place[name] === 'function')
  if (isStorage && typeof place.url === 'string') return
  throw new HoldfastError('USAGE', 'This is no place for a repository.', {
    hint: 'Give a path or a URL, or a storage of your own that implements BackupStorage.',
  })
}

async function nothing(): Promise<void> {}
