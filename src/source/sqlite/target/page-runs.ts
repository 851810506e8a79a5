import { readSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** Pages that follow one another, in a file and in a batch alike. */
export interface PageSpan {
  readonly firstPage: number
  readonly count: number
  /** Their bytes begin at this byte of the batch. */
  readonly offset: number
}

export function* contiguousSpans(pages: Uint32Array, pageSize: number): Generator<PageSpan, void, undefined> {
  let start = 0
  for (let index = 1; index <= pages.length; index += 1) {
    const firstPage = pages[start] ?? 0
    if (pages[index] === firstPage + (index - start)) continue
    yield { firstPage, count: index - start, offset: start * pageSize }
    start = index
  }
}

/**
 * A run up to this size is read or written on the spot: to have another thread do it takes ten times as long as the system takes to
 * copy it, and pages changed by commits are mostly such runs.
 */
const shortBytes = 64 << 10

/** Writes each run of neighbouring pages with one call. Any number may be under way for one file. */
export async function writePages(
  file: FileHandle,
  pageSize: number,
  pages: Uint32Array,
  values: Uint8Array,
): Promise<void> {
  for (const { firstPage, count, offset } of contiguousSpans(pages, pageSize)) {
    const bytes = values.subarray(offset, offset + count * pageSize)
    const position = (firstPage - 1) * pageSize
    const written = bytes.length > shortBytes ? 0 : writeSync(file.fd, bytes, 0, bytes.length, position)
    if (written < bytes.length) await writeFully(file, bytes.subarray(written), position + written)
  }
}

/** Reads pages as they stand in the file; zeros beyond its end. */
export async function readPages(file: FileHandle, pageSize: number, pages: Uint32Array): Promise<Uint8Array> {
  const values = new Uint8Array(pages.length * pageSize)
  for (const { firstPage, count, offset } of contiguousSpans(pages, pageSize)) {
    const span = values.subarray(offset, offset + count * pageSize)
    for (let filled = 0; filled < span.length; ) {
      const position = (firstPage - 1) * pageSize + filled
      const length = span.length - filled
      const isShort = span.length <= shortBytes
      const bytesRead = isShort
        ? readSync(file.fd, span, filled, length, position)
        : (await file.read(span, filled, length, position)).bytesRead
      if (bytesRead === 0) break
      filled += bytesRead
    }
  }
  return values
}

export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const result = await file.write(bytes, written, bytes.length - written, position + written)
    written += result.bytesWritten
  }
}

/** @throws RangeError for a page that no restore may write */
export function assertPages(
  pages: Uint32Array,
  values: Uint8Array,
  shape: { readonly pageSize: number; readonly pageCount: number; readonly lockPage: number },
): void {
  if (values.length !== pages.length * shape.pageSize) throw new RangeError('The bytes do not fill the pages.')
  for (const page of pages) {
    if (page < 1 || page > shape.pageCount || page === shape.lockPage)
      throw new RangeError(`Page ${page} of ${shape.pageCount} cannot be written.`)
  }
}
