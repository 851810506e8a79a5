/**
 * `write N` writes a segment of N MiB to nowhere; `read N` keeps it in memory, reads and checks it. Prints by how many MiB the
 * resident memory grew at most, without what is kept.
 */

import { toLsn } from '../../src/history/lsn.ts'
import { addHash, emptyState } from '../../src/history/state-checksum.ts'
import { findDamage } from '../../src/segment/damage-report.ts'
import { fullBatch } from '../../src/segment/full-batch.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { writeSegment } from '../../src/segment/write-segment.ts'
import { pageHash } from '../../src/util/page-hash.ts'
import { header, noise } from './helpers.ts'

const pageSize = 4096
const [mode, mebibytes] = process.argv.slice(2)
const pageCount = Number(mebibytes) * 256
const sample = Buffer.concat([noise(100_000, 9), Buffer.alloc(162_144, 'a row of a table ')])
let state = emptyState

async function* batches() {
  for (let first = 1; first <= pageCount; first += 64) {
    const values = Buffer.from(sample)
    const pages = Uint32Array.from({ length: 64 }, (_, at) => first + at)
    const hashes = BigUint64Array.from(pages, (page, at) =>
      pageHash(page, values.subarray(at * pageSize, (at + 1) * pageSize)),
    )
    state = hashes.reduce(addHash, state)
    yield fullBatch({ pages, values, hashes }, pageSize)
  }
}

const before = process.memoryUsage().rss
let [highest, size] = [0, 0]
const look = () => {
  highest = Math.max(highest, process.memoryUsage().rss)
}
const growth = (held: number) => Math.round((highest - before - held) / 1_048_576)

const end = () => ({ to: toLsn(1), lastTime: 1_700_000_000_000, endState: state, pageCount })
const kept: Uint8Array[] = []
for await (const chunk of writeSegment(header({ pageSize }), batches(), end)) {
  size += chunk.length
  if (mode === 'read') kept.push(Uint8Array.from(chunk))
  look()
}
if (mode === 'read') {
  highest = 0
  const reader = await openSegment({ size, read: readKept })
  for await (const _block of reader.records()) look()
  if ((await findDamage(reader.checkContents(), look)).length > 0) throw new Error('The segment is damaged.')
}
console.log(growth(mode === 'read' ? size : 0))

async function* readKept(offset: number, length: number) {
  let at = 0
  for (const chunk of kept) {
    const from = Math.max(offset - at, 0)
    const to = Math.min(offset + length - at, chunk.length)
    if (from < to) yield chunk.subarray(from, to)
    at += chunk.length
  }
}
