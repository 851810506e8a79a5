import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldfastError } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { hash64 } from '../../src/util/page-hash.ts'
import { baseSegment, fullRecord, header, logSegment, memoryInput, page, type TestSegment, write } from './helpers.ts'

/** The object with a changed header, sealed with the right checksum; its end is of no known format. */
async function withHeader(change: (header: DataView) => void): Promise<Uint8Array> {
  const bytes = Buffer.from(await write(baseSegment(3)))
  const view = new DataView(bytes.buffer, bytes.byteOffset, 128)
  change(view)
  view.setBigUint64(120, hash64(bytes.subarray(0, 120)), true)
  bytes.fill(0x77, bytes.length - 48)
  return bytes
}

test('a later format version is refused, naming it', async () => {
  const bytes = await withHeader((view) => view.setUint16(8, 2, true))
  await assert.rejects(openSegment(memoryInput(bytes), { object: 'x.hfs' }), {
    code: 'FORMAT_TOO_NEW',
    object: 'x.hfs',
    message: /segment format 2; this version of Holdfast reads format 1/,
  })
})

test('an unknown feature is refused, naming it', async () => {
  const bytes = await withHeader((view) => view.setUint32(12, 0x40, true))
  await assert.rejects(openSegment(memoryInput(bytes)), { code: 'FORMAT_TOO_NEW', message: /features 0x40/ })
})

test('an encrypted segment is refused, saying so', async () => {
  const flagged = await withHeader((view) => view.setUint32(12, 1, true))
  const ciphered = await withHeader((view) => view.setUint8(19, 1))
  for (const bytes of [flagged, ciphered]) {
    await assert.rejects(openSegment(memoryInput(bytes)), { code: 'FORMAT_TOO_NEW', message: /encrypted/ })
  }
})

test('what is no segment at all is damage', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(5000), Buffer.alloc(5000, 0xff)]) {
    await assert.rejects(openSegment(memoryInput(bytes), { object: 'x.hfs' }), { code: 'INTEGRITY', object: 'x.hfs' })
  }
})

test('a failing storage is reported as it is, not as damage', async () => {
  const input = {
    size: 1000,
    // biome-ignore lint/correctness/useYield: fails before its first byte.
    async *read(): AsyncGenerator<Uint8Array> {
      throw new HoldfastError('STORAGE_TRANSIENT', 'unreachable')
    },
  }
  await assert.rejects(openSegment(input), { code: 'STORAGE_TRANSIENT' })
})

const impossible: Record<string, () => TestSegment> = {
  'pages that do not ascend': () => {
    const base = baseSegment(3)
    return { ...base, records: base.records.toReversed() }
  },
  'a page twice': () => {
    const base = baseSegment(2)
    return { ...base, records: [...base.records, ...base.records.slice(1)] }
  },
  'a page beyond the last': () => ({ ...baseSegment(3), end: { ...baseSegment(3).end, pageCount: 2 } }),
  'page 0': () => ({ ...baseSegment(3), records: [fullRecord(0, page(512, 1))] }),
  'a value that is not a page': () => ({ ...baseSegment(1), records: [fullRecord(1, page(100, 1))] }),
  'a patch in a base': () => ({ ...baseSegment(1), records: [{ page: 1, op: 1, value: Uint8Array.of(), hash: 1n }] }),
  'a base that does not start at 0': () => ({ ...baseSegment(1), header: header({ from: toLsn(1) }) }),
  'an impossible page size': () => ({ ...baseSegment(0), header: header({ pageSize: 1000 }) }),
  'a log without commits': () => ({ ...logSegment([[[1, page(512, 1)]]], {}), commits: [] }),
  'commits that do not lead to the end': () => {
    const log = logSegment([[[1, page(512, 1)]]], {})
    return { ...log, end: { ...log.end, to: toLsn(99) } }
  },
}
for (const [name, make] of Object.entries(impossible)) {
  test(`a segment with ${name} is not written`, async () => {
    await assert.rejects(write(make()), { code: 'INTERNAL' })
  })
}
