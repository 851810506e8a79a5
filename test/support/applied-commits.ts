import assert from 'node:assert/strict'
import type { StateChecksum } from '../../src/history/state-checksum.ts'
import { applyPatch } from '../../src/segment/patch.ts'
import type { SegmentReader } from '../../src/segment/read-segment.ts'
import { op } from '../../src/segment/segment.ts'

export interface AppliedCommit {
  readonly lsn: number
  /** As the segment says. */
  readonly state: StateChecksum
  /** The whole database; changed in place by the next commit. */
  readonly image: Buffer
  /** The pages that were written. */
  readonly pages: readonly number[]
}

/** Applies a segment's records, one commit after the other, to the state that it starts from. A base or delta is one commit. */
export async function* appliedCommits(reader: SegmentReader, start: Buffer): AsyncGenerator<AppliedCommit> {
  const { pageSize } = reader.header
  const { to, endState, pageCount } = reader.end
  const commits = await Array.fromAsync(reader.commits())
  if (commits.length === 0) {
    commits.push({ lsn: to, time: 0, records: reader.totals.records, pageCount, state: endState })
  }
  const records = recordsOf(reader)
  let image = start
  for (const commit of commits) {
    image = resized(image, commit.pageCount * pageSize)
    const pages: number[] = []
    while (pages.length < commit.records) {
      const { value: record, done } = await records.next()
      if (done === true) assert.fail(`the records end within LSN ${commit.lsn}`)
      const place = image.subarray((record.page - 1) * pageSize, record.page * pageSize)
      if (record.op === op.full) place.set(record.value)
      else applyPatch(place, record.value)
      pages.push(record.page)
    }
    yield { lsn: commit.lsn, state: commit.state, image, pages }
  }
  assert.equal((await records.next()).done, true, `records after LSN ${to}`)
}

async function* recordsOf(reader: SegmentReader) {
  for await (const { pages, lengths, ops, values } of reader.records()) {
    let offset = 0
    for (const [at, page] of pages.entries()) {
      const length = lengths[at] ?? 0
      yield { page, op: ops[at], value: values.subarray(offset, offset + length) }
      offset += length
    }
  }
}

function resized(image: Buffer, bytes: number): Buffer {
  if (image.length === bytes) return image
  const next = Buffer.alloc(bytes)
  image.copy(next)
  return next
}
