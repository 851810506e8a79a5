import { MemoryStorage } from '../../../src/storage/memory.ts'
import type { BackupStorage } from '../../../src/storage/storage.ts'
import { collectBytes } from '../../../src/util/bytes.ts'

/** Everything a storage holds, by key: to be damaged at will and stored again. */
export type StoredObjects = ReadonlyMap<string, Uint8Array>

export async function readObjects(storage: BackupStorage): Promise<StoredObjects> {
  const objects = new Map<string, Uint8Array>()
  for await (const { key } of storage.list('')) objects.set(key, await collectBytes(storage.get(key)))
  return objects
}

export async function storeObjects(objects: StoredObjects): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  for (const [key, bytes] of objects) await storage.put(key, bytes)
  return storage
}

export function without(objects: StoredObjects, ...keys: readonly string[]): StoredObjects {
  return new Map([...objects].filter(([key]) => !keys.includes(key)))
}

export function withObject(objects: StoredObjects, key: string, bytes: Uint8Array): StoredObjects {
  return new Map([...objects, [key, bytes]])
}

export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

export function swapped(objects: StoredObjects, a: string, b: string): StoredObjects {
  const [ofA, ofB] = [objects.get(a), objects.get(b)]
  if (ofA === undefined || ofB === undefined) throw new Error(`No such objects: ${a}, ${b}`)
  return new Map([...objects, [a, ofB], [b, ofA]])
}
