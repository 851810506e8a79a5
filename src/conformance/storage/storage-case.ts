import assert from 'node:assert/strict'
import { type ErrorCode, HoldfastError } from '../../errors.ts'
import type { BackupStorage, GetOptions, ObjectInfo, StorageCapabilities } from '../../storage/storage.ts'
import { collectBytes } from '../../util/bytes.ts'

export interface StorageCase {
  readonly name: string
  /** The storage must claim this, or the test is skipped. */
  readonly needs?: keyof StorageCapabilities
  readonly run: (place: TestPlace) => Promise<void>
}

export interface TestPlace {
  readonly storage: BackupStorage
  /** The same storage, opened a second time. */
  readonly other: BackupStorage
  /** Keys of the test begin so; it ends in `/`. */
  readonly prefix: string
}

export async function read(storage: BackupStorage, key: string, options?: GetOptions): Promise<Buffer> {
  return Buffer.from(await collectBytes(storage.get(key, options), Number.POSITIVE_INFINITY))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export async function listAll(storage: BackupStorage, prefix: string): Promise<ObjectInfo[]> {
  return await collect(storage.list(prefix))
}

export async function listKeys(storage: BackupStorage, prefix: string): Promise<string[]> {
  return (await listAll(storage, prefix)).map((info) => info.key)
}

/** Compares without printing megabytes when they differ. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length, 'number of bytes')
  assert.ok(Buffer.compare(actual, expected) === 0, `${expected.length} bytes came back changed`)
}

export async function rejectsWith(work: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  await assert.rejects(work, (thrown) => {
    assert.ok(thrown instanceof HoldfastError, `a HoldfastError, not ${thrown}`)
    assert.ok(codes.includes(thrown.code), `${codes.join(' or ')}, not ${thrown.code}: ${thrown.message}`)
    return true
  })
}

/** Bytes that look alike in no two places, the same for the same seed. */
export function patternBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed >>> 0 || 1
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** A stream that lends its chunks only until the next is asked for, as the contract lets it. */
export async function* lendingStream(
  bytes: Uint8Array,
  sizes: readonly number[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0, round = 0; at < bytes.length; round++) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + (sizes[round % sizes.length] ?? 1)))
    at += chunk.length
    yield chunk
    chunk.fill(0xee)
  }
}
