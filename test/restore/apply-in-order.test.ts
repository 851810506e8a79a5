import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toLsn } from '../../src/history/lsn.ts'
import { noSegment } from '../../src/repository/page-hashes.ts'
import { InOrderPages } from '../../src/restore/apply-in-order.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { op } from '../../src/segment/segment.ts'
import { header, memoryInput, type TestRecord, write } from '../segment/helpers.ts'

const pageSize = 65_536
const pageCount = 700

/** XORs one byte at `at`, which is below 128. */
function patchOf(page: number, at: number, byte: number): TestRecord {
  return { page, op: op.patch, value: Uint8Array.of(at, 1, byte), hash: 0n }
}

test('a block that patches more pages than may be held is applied in parts, and the memory stays bounded', async () => {
  const numbers = Array.from({ length: pageCount }, (_, at) => at + 1)
  const commits = [numbers.map((page) => patchOf(page, 5, page % 251)), numbers.map((page) => patchOf(page, 5, 0xff))]
  const top = header({ kind: 'log', pageSize })
  const entries = commits.map(({ length }, at) => ({
    lsn: toLsn(top.from + at + 1),
    time: top.firstTime,
    records: length,
    pageCount,
    state: BigInt(at),
  }))
  const end = { to: toLsn(top.from + 2), lastTime: top.firstTime, endState: 1n, pageCount }
  const bytes = await write({ header: top, end, records: commits.flat(), commits: entries, batchSizes: [500] })
  const reader = await openSegment(memoryInput(bytes, 100_000))

  const image = Buffer.alloc(pageCount * pageSize, 0x11)
  const at = (page: number) => image.subarray((page - 1) * pageSize, page * pageSize)
  let mostRead = 0
  const target = {
    read: async (pages: Uint32Array) => {
      mostRead = Math.max(mostRead, pages.length * pageSize)
      return Buffer.concat(Array.from(pages, at))
    },
    write: async (pages: Uint32Array, values: Uint8Array) => {
      for (const [i, page] of pages.entries()) at(page).set(values.subarray(i * pageSize, (i + 1) * pageSize))
    },
  }
  const setBy = new Uint16Array(pageCount).fill(noSegment)
  const table = { hashes: new BigUint64Array(pageCount), known: true, setBy, stepped: new Uint8Array(pageCount) }
  const pages = new InOrderPages(target, pageSize, table)
  await pages.apply({ reader, records: 2 * pageCount }, 1)
  await pages.flush()

  const expected = Buffer.alloc(image.length, 0x11)
  for (const page of numbers) expected[(page - 1) * pageSize + 5] = 0x11 ^ (page % 251) ^ 0xff
  assert.ok(expected.equals(image))
  assert.ok(mostRead <= 8 * 1024 * 1024, `${mostRead} bytes were read at once`)
})
