/** Checked-in segments, read by a parser that was written from docs/format.md alone and shares no code with Holdfast. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { openSegment } from '../../src/segment/read-segment.ts'
import { hash64 } from '../../src/util/page-hash.ts'
import { baseSegment, collect, logSegment, memoryInput, noise, page, write } from './helpers.ts'

async function fixture(name: string): Promise<Buffer> {
  const text = await readFile(new URL(`./fixtures/${name}.hex`, import.meta.url), 'utf8')
  return Buffer.from(text.replaceAll('\n', ''), 'hex')
}

const mask = (1n << 64n) - 1n
const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & mask
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
]

/** XXH64, from its specification. */
function xxh64(bytes: Buffer, seed = 0n): bigint {
  const round = (lane: bigint, word: bigint) => (rotate((lane + word * p2) & mask, 31n) * p1) & mask
  let at = 0
  let hash = (seed + p5) & mask
  if (bytes.length >= 32) {
    const lanes = [seed + p1 + p2, seed + p2, seed, seed - p1].map((lane) => lane & mask)
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane] ?? 0n, bytes.readBigUInt64LE(at + lane * 8))
    }
    hash = lanes
      .map((lane, index) => rotate(lane, [1n, 7n, 12n, 18n][index] ?? 0n))
      .reduce((sum, lane) => (sum + lane) & mask)
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask
  }
  hash = (hash + BigInt(bytes.length)) & mask
  for (; at + 8 <= bytes.length; at += 8)
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4) & mask
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask
    at += 4
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes.readUInt8(at)) * p5) & mask), 11n) * p1) & mask
  hash = ((hash ^ (hash >> 33n)) * p2) & mask
  hash = ((hash ^ (hash >> 29n)) * p3) & mask
  return hash ^ (hash >> 32n)
}

function unpack(codec: number, stored: Buffer): Buffer {
  if (codec === 1) return gunzipSync(stored)
  if (codec === 2) return zstdDecompressSync(stored)
  return stored
}

class Cursor {
  at = 0
  bytes: Buffer
  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
  varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.at++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/** Reads a whole segment by the steps of section 1.10, and applies its records to an empty database. */
function parse(file: Buffer) {
  const trailer = file.subarray(file.length - 48)
  assert.equal(trailer.toString('latin1', 40), 'HFSEND\r\n')
  assert.equal(Number(trailer.readBigUInt64LE(24)), file.length)
  const rootOffset = Number(trailer.readBigUInt64LE(0))
  const storedRoot = file.subarray(rootOffset, rootOffset + trailer.readUInt32LE(8))
  assert.equal(xxh64(Buffer.concat([storedRoot, trailer.subarray(0, 32)])), trailer.readBigUInt64LE(32))
  const root = unpack(trailer.readUInt8(16), storedRoot)
  assert.equal(root.length, trailer.readUInt32LE(12))
  assert.equal(root.readUInt16LE(0), 1)
  const header = file.subarray(0, 128)
  assert.deepEqual(root.subarray(8, 136), header)
  assert.equal(header.toString('hex', 0, 8), '894846530d0a1a0a')
  assert.equal(xxh64(header.subarray(0, 120)), header.readBigUInt64LE(120))
  const pageSize = header.readUInt32LE(20)

  const pages = new Map<number, Buffer>()
  const table = new Map<number, bigint>()
  const commits: { lsn: number; time: number; records: number; pageCount: number; state: bigint }[] = []
  let offset = 128
  for (let slot = 0; slot < root.readUInt32LE(4); slot++) {
    const entry = root.subarray(184 + 32 * slot, 216 + 32 * slot)
    const stored = file.subarray(offset, offset + entry.readUInt32LE(4))
    offset += stored.length
    assert.equal(xxh64(stored, BigInt(slot)), entry.readBigUInt64LE(24))
    const cursor = new Cursor(unpack(entry.readUInt8(1), stored))
    assert.equal(cursor.bytes.length, entry.readUInt32LE(8))
    const count = cursor.varint()
    assert.equal(count, entry.readUInt32LE(12))
    if (entry.readUInt8(0) === 0) applyRecords(cursor, count, pageSize, pages)
    else if (entry.readUInt8(0) === 1) readTable(cursor, count, table)
    else readCommits(cursor, count, commits)
  }
  assert.equal(offset, rootOffset)
  return {
    kind: header.readUInt8(17),
    from: Number(header.readBigUInt64LE(24)),
    to: Number(root.readBigUInt64LE(136)),
    lastTime: Number(root.readBigUInt64LE(144)),
    endState: root.readBigUInt64LE(152),
    pageCount: root.readUInt32LE(160),
    flags: root.readUInt32LE(164),
    records: Number(root.readBigUInt64LE(168)),
    pages,
    table,
    commits,
  }
}

function applyRecords(cursor: Cursor, count: number, pageSize: number, pages: Map<number, Buffer>): void {
  const directory: { page: number; isPatch: boolean; length: number }[] = []
  let page = 0
  for (let at = 0; at < count; at++) {
    const code = cursor.varint()
    const isPatch = code % 2 === 1
    const zigzag = Math.floor(code / 2)
    page += 1 + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2)
    directory.push({ page, isPatch, length: isPatch ? cursor.varint() : pageSize })
  }
  for (const record of directory) {
    const value = Buffer.from(cursor.bytes.subarray(cursor.at, cursor.at + record.length))
    cursor.at += record.length
    if (!record.isPatch) {
      pages.set(record.page, value)
      continue
    }
    const target = pages.get(record.page) ?? assert.fail('a patch of an unknown page')
    const patch = new Cursor(value)
    const former = Buffer.from(target)
    let [at, shift] = [0, 0]
    const take = (count: number, next: () => number) => {
      for (const end = at + count; at < end; at++) target.writeUInt8(former.readUInt8(at + shift) ^ next(), at)
    }
    while (patch.at < value.length) {
      take(patch.varint(), () => 0)
      const length = patch.varint()
      take(length, () => value.readUInt8(patch.at++))
      if (length === 0) shift = patch.signed()
    }
    take(pageSize - at, () => 0)
  }
  assert.equal(cursor.at, cursor.bytes.length)
}

function readTable(cursor: Cursor, count: number, table: Map<number, bigint>): void {
  const pages: number[] = []
  for (let at = 0; at < count; at++) pages.push((pages.at(-1) ?? 0) + 1 + cursor.varint())
  for (const [at, page] of pages.entries()) table.set(page, cursor.bytes.readBigUInt64LE(cursor.at + 8 * at))
  assert.equal(cursor.at + 8 * count, cursor.bytes.length)
}

function readCommits(cursor: Cursor, count: number, commits: ReturnType<typeof parse>['commits']): void {
  const first = commits.length
  let [lsn, time, pageCount] = [0, 0, 0]
  for (let at = 0; at < count; at++) {
    lsn += cursor.varint()
    time += cursor.signed()
    const records = cursor.varint()
    pageCount += cursor.signed()
    commits.push({ lsn, time, records, pageCount, state: 0n })
  }
  for (let at = 0; at < count; at++) {
    const commit = commits[first + at] ?? assert.fail()
    commit.state = cursor.bytes.readBigUInt64LE(cursor.at + 8 * at)
  }
  assert.equal(cursor.at + 8 * count, cursor.bytes.length)
}

const changedPage = page(512, 2)
changedPage.set([1, 2, 3], 100)
changedPage.set([9], 400)
const log = logSegment(
  [
    [
      [1, page(512, 1)],
      [2, page(512, 2)],
    ],
    [[2, changedPage]],
    [],
    [[3, new Uint8Array(512)]],
  ],
  { codec: 'none' },
)

test('a log without compression has exactly these bytes', async () => {
  assert.deepEqual(Buffer.from(await write(log)), await fixture('log-none'))
})

test('a log is read from its document', async () => {
  const parsed = parse(await fixture('log-none'))
  assert.deepEqual([parsed.kind, parsed.from, parsed.records, parsed.flags], [3, 10, 4, 1])
  assert.deepEqual(
    { to: parsed.to, lastTime: parsed.lastTime, endState: parsed.endState, pageCount: parsed.pageCount },
    log.end,
  )
  assert.deepEqual(parsed.commits, log.commits)
  assert.deepEqual([...parsed.pages.keys()], [1, 2, 3])
  assert.deepEqual(parsed.pages.get(2), Buffer.from(changedPage))
  for (const [number, value] of parsed.pages) assert.equal(parsed.table.get(number), xxh64(value, BigInt(number)))
})

const former = Buffer.from(noise(512, 4))
const moving = Buffer.from(former)
former.copy(moving, 140, 128, 256)
moving.set([1, 2, 3, 4], 130)
const moves = logSegment([[[1, former]], [[1, moving]], [[1, former]]], { codec: 'none' })

test('a log with patches that move bytes has exactly these bytes', async () => {
  assert.deepEqual(Buffer.from(await write(moves)), await fixture('log-moves'))
})

test('a log with patches that move bytes is read from its document', async () => {
  const file = await fixture('log-moves')
  const parsed = parse(file)
  assert.deepEqual([parsed.records, parsed.flags], [3, 3])
  assert.deepEqual(parsed.pages.get(1), former)
  const [block] = await collect((await openSegment(memoryInput(file))).records())
  assert.deepEqual([...(block?.ops ?? [])], [0, 1, 1])
})

for (const codec of ['gzip', 'zstd'] as const) {
  test(`a ${codec} base is read from its document, and by Holdfast`, async () => {
    const file = await fixture(`base-${codec}`)
    const parsed = parse(file)
    const expected = baseSegment(5, 512, codec)
    assert.deepEqual([parsed.kind, parsed.from, parsed.to], [1, 0, 7])
    assert.deepEqual(
      [...parsed.pages.values()],
      expected.records.map((record) => Buffer.from(record.value)),
    )
    const state = [...parsed.pages].reduce((sum, [number, value]) => (sum + xxh64(value, BigInt(number))) & mask, 0n)
    assert.equal(state, parsed.endState)

    const reader = await openSegment(memoryInput(file))
    assert.deepEqual(reader.header, expected.header)
    assert.deepEqual(reader.end, expected.end)
    const [block] = await collect(reader.records())
    assert.equal(Buffer.compare(block?.values ?? Buffer.of(), Buffer.concat([...parsed.pages.values()])), 0)
  })
}

test('the hash is XXH64', () => {
  assert.equal(xxh64(Buffer.alloc(0)), 0xef46db3751d8e999n)
  assert.equal(xxh64(Buffer.from('Nobody inspects the spammish repetition')), 0xfbcea83c8a378bf1n)
  for (const length of [1, 7, 8, 31, 32, 33, 100, 4096]) {
    const bytes = Buffer.from(noise(length, length))
    assert.equal(hash64(bytes, 77n), xxh64(bytes, 77n))
  }
})
