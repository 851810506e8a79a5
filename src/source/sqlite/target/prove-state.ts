import type { FileHandle } from 'node:fs/promises'
import type { ProveOptions } from '../../target.ts'
import { proofFailed } from './proof-failed.ts'
import { hashPages } from './read-ahead.ts'

export interface WrittenFile {
  readonly file: FileHandle
  readonly path: string
  /** As the user knows it; for messages. */
  readonly target: string
  readonly pageSize: number
  readonly pageCount: number
  /** Lends the user's command a file whose content is proved, and which it may open as it likes. */
  lend<T>(use: (path: string, file: FileHandle) => Promise<T>): Promise<T>
  /** Called when a check of the file begins: until `ended`, something in this process may have it open, also after a failed proof. */
  onCheck?(ended: Promise<void>): void
}

/** @throws PROOF_FAILED */
export async function proveState(
  { target, pageSize, pageCount }: WrittenFile,
  file: FileHandle,
  expected: bigint,
  options: ProveOptions,
): Promise<{ state: bigint; pages: number }> {
  const total = pageSize * pageCount
  const { size } = await file.stat()
  if (size !== total) throw proofFailed(target, 'size', `${total} bytes`, `${size} bytes`)
  let state = 0n
  let pages = 0
  for await (const { hashes } of hashPages(file, pageSize, pageCount, options.signal)) {
    for (const hash of hashes) state += hash
    state = BigInt.asUintN(64, state)
    pages += hashes.length
    options.onProgress?.(pages * pageSize, total)
  }
  if (state !== expected) throw proofFailed(target, 'state checksum', hex(expected), hex(state))
  return { state, pages }
}

function hex(state: bigint): string {
  return state.toString(16).padStart(16, '0')
}
