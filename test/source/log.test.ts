import assert from 'node:assert/strict'
import { closeSync, copyFileSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { addBytes } from '../../src/source/sqlite/log/checksum.ts'
import { readFrames } from '../../src/source/sqlite/log/frame-reader.ts'
import { frameHeaderBytes, frameOffset, mapLog, type PageMap } from '../../src/source/sqlite/log/page-map.ts'
import { intactHeader, type LogHorizon, parseHorizon, walIndexBytes } from '../../src/source/sqlite/log/wal-index.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const pageSize = 512

interface Log {
  readonly wal: Buffer
  readonly shm: Buffer
  readonly horizon: LogHorizon
}

/** A log of some commits, and its index, as SQLite wrote them. */
async function makeLog(): Promise<Log> {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  await using application = await SqlProcess.open(path)
  await application.query(
    `PRAGMA page_size = ${pageSize}`,
    'PRAGMA journal_mode = wal',
    'PRAGMA wal_autocheckpoint = 0',
    'CREATE TABLE t (x)',
    'INSERT INTO t VALUES (randomblob(3000))',
    'UPDATE t SET x = randomblob(2000)',
  )
  await application.kill()
  const shm = readFileSync(`${path}-shm`)
  const header = intactHeader(shm.subarray(0, walIndexBytes))
  assert(header)
  return { wal: readFileSync(`${path}-wal`), shm, horizon: parseHorizon(header) }
}

async function mapBytes(wal: Buffer, horizon: LogHorizon): Promise<PageMap> {
  using folder = temporaryFolder()
  writeFileSync(folder.file('wal'), wal)
  const descriptor = openSync(folder.file('wal'), 'r')
  try {
    return await mapLog({ path: 'the-wal', descriptor }, horizon)
  } finally {
    closeSync(descriptor)
  }
}

/** The newest frame of each page by the plainest possible reading. */
function naiveMap(wal: Buffer, lastFrame: number, pageCount: number): number[] {
  const frames = new Array<number>(pageCount + 1).fill(0)
  for (let frame = 1; frame <= lastFrame; frame++) {
    const page = wal.readUInt32BE(frameOffset(frame, pageSize))
    if (page <= pageCount) frames[page] = frame
  }
  return frames
}

test('the map leads to the newest frame of each page', async () => {
  const { wal, horizon } = await makeLog()
  const map = await mapBytes(wal, horizon)
  assert.deepEqual([...map.frames], naiveMap(wal, horizon.lastFrame, horizon.pageCount))
})

test('frames after the horizon do not count, whatever they hold', async () => {
  const { wal, horizon } = await makeLog()
  const end = frameOffset(horizon.lastFrame + 1, pageSize)
  const tail = Buffer.concat([
    wal.subarray(0, end),
    wal.subarray(frameOffset(1, pageSize), end),
    Buffer.from('rubbish'),
  ])
  assert.deepEqual((await mapBytes(tail, horizon)).frames, (await mapBytes(wal, horizon)).frames)
})

test('a log written on a machine of the other byte order', async () => {
  const { wal, horizon } = await makeLog()
  const swapped = Buffer.from(wal)
  const bigEndian = (wal.readUInt32BE(0) & 1) === 0
  swapped.writeUInt32BE(bigEndian ? 0x377f0683 : 0x377f0682, 0)
  const sum = { first: 0, second: 0 }
  const store = (offset: number) => {
    swapped.writeInt32BE(sum.first, offset)
    swapped.writeInt32BE(sum.second, offset + 4)
  }
  addBytes(sum, swapped.subarray(0, 24), bigEndian)
  store(24)
  for (let frame = 1; frame <= horizon.lastFrame; frame++) {
    const start = frameOffset(frame, pageSize)
    addBytes(sum, swapped.subarray(start, start + 8), bigEndian)
    addBytes(sum, swapped.subarray(start + frameHeaderBytes, start + frameHeaderBytes + pageSize), bigEndian)
    store(start + 16)
  }
  const map = await mapBytes(swapped, { ...horizon, checksum: { ...sum } })
  assert.deepEqual([...map.frames], naiveMap(wal, horizon.lastFrame, horizon.pageCount))
})

test('one flipped bit anywhere up to the horizon is found', async () => {
  const { wal, horizon } = await makeLog()
  const end = frameOffset(horizon.lastFrame + 1, pageSize)
  for (let position = 0; position < end; position += position < 64 ? 1 : 37) {
    const bytes = Buffer.from(wal)
    bytes[position] = (bytes[position] ?? 0) ^ 0x10
    await assert.rejects(() => mapBytes(bytes, horizon), { name: 'HoldfastError' }, `byte ${position}`)
  }
})

test('a log that ends too early, or has other salts, is named for what it is', async () => {
  const { wal, horizon } = await makeLog()
  const short = wal.subarray(0, frameOffset(horizon.lastFrame, pageSize) + 10)
  await assert.rejects(() => mapBytes(short, horizon), { code: 'DATABASE_DAMAGED', object: 'the-wal' })
  await assert.rejects(() => mapBytes(Buffer.alloc(0), horizon), { code: 'DATABASE_DAMAGED' })
  const grown = { ...horizon, pageCount: horizon.pageCount + 1 }
  await assert.rejects(() => mapBytes(wal, grown), { code: 'DATABASE_DAMAGED' })
  const reset = { ...horizon, salts: Buffer.alloc(8) }
  await assert.rejects(() => mapBytes(wal, reset), { code: 'DATABASE_CHANGED' })
})

test('a frame that was overwritten after it was mapped is noticed', async () => {
  const { wal, horizon } = await makeLog()
  const map = await mapBytes(wal, horizon)
  using folder = temporaryFolder()
  const rewritten = Buffer.from(wal)
  for (let frame = 1; frame <= horizon.lastFrame; frame++)
    rewritten.fill(7, frameOffset(frame, pageSize) + 8, frameOffset(frame, pageSize) + 16)
  writeFileSync(folder.file('wal'), rewritten)
  copyFileSync(folder.file('wal'), folder.file('short'))
  truncateSync(folder.file('short'), 100)
  for (const name of ['wal', 'short']) {
    const descriptor = openSync(folder.file(name), 'r')
    const into = { first: 1, values: Buffer.alloc(horizon.pageCount * pageSize), pageSize }
    await assert.rejects(() => readFrames({ path: name, descriptor }, map, into), { code: 'DATABASE_CHANGED' })
    closeSync(descriptor)
  }
})

test('a wal-index header that a writer is at work on is not taken', async () => {
  const { shm } = await makeLog()
  const start = shm.subarray(0, walIndexBytes)
  for (let position = 0; position < 96; position++) {
    const torn = Buffer.from(start)
    torn[position] = (torn[position] ?? 0) ^ 1
    assert.equal(intactHeader(torn), undefined)
    const both = Buffer.from(torn)
    both[(position + 48) % 96] = torn[position] ?? 0
    assert.equal(intactHeader(both), undefined, 'equal copies with a wrong checksum')
  }
  assert.equal(intactHeader(start.subarray(0, 50)), undefined)
  assert.equal(intactHeader(Buffer.alloc(walIndexBytes)), undefined)
})
