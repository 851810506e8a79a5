/** How an engine comes by the storage that its host works with. */
import { z } from 'zod'
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

/** The engine's side. */
export async function openLinkedStorage(
  address: StorageAddress,
  host: Peer,
  signal: AbortSignal,
): Promise<BackupStorage> {
  return address.kind === 'host' ? await remoteStorage(host, { signal }) : await openStorage(address.location)
}

async function nothing(): Promise<void> {}
