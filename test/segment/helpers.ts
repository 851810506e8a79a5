import fc from 'fast-check'
import { type Lsn, toLsn } from '../../src/history/lsn.ts'
import { addHash, emptyState } from '../../src/history/state-checksum.ts'
import { encodePatch } from '../../src/segment/encode-patch.ts'
import type { SegmentInput } from '../../src/segment/read-segment.ts'
import {
  type Codec,
  type CommitEntry,
  type Op,
  op,
  type RecordBatch,
  type SegmentEnd,
  type SegmentHeader,
} from '../../src/segment/segment.ts'
import { type WriteSegmentOptions, writeSegment } from '../../src/segment/write-segment.ts'
import { pageHash } from '../../src/util/page-hash.ts'

export interface TestRecord {
  readonly page: number
  readonly op: Op
  readonly value: Uint8Array
  readonly hash: bigint
}

/** Everything that a segment holds, as plain data. */
export interface TestSegment {
  readonly header: SegmentHeader
  readonly end: SegmentEnd
  readonly records: readonly TestRecord[]
  readonly commits: readonly CommitEntry[]
  /** Where the records are cut into batches. */
  readonly batchSizes: readonly number[]
}

export interface MemoryInput extends SegmentInput {
  /** Ranges read so far. */
  readonly reads: { offset: number; length: number }[]
}

/** An object in memory, given out in chunks of `chunkSize`. */
export function memoryInput(bytes: Uint8Array, chunkSize = 1000): MemoryInput {
  const reads: { offset: number; length: number }[] = []
  return {
    size: bytes.length,
    reads,
    async *read(offset, length) {
      reads.push({ offset, length })
      const range = bytes.subarray(offset, offset + length)
      for (let at = 0; at < range.length; at += chunkSize) yield range.slice(at, at + chunkSize)
    },
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Chunks of a segment being written are valid only until the next one. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

export function toBatch(records: readonly TestRecord[]): RecordBatch {
  return {
    pages: Uint32Array.from(records, (record) => record.page),
    ops: Uint8Array.from(records, (record) => record.op),
    lengths: Uint32Array.from(records, (record) => record.value.length),
    values: Buffer.concat(records.map((record) => record.value)),
    hashes: BigUint64Array.from(records, (record) => record.hash),
  }
}

export async function* batchesOf(segment: TestSegment): AsyncGenerator<RecordBatch> {
  let start = 0
  for (let turn = 0; start < segment.records.length; turn++) {
    const size = segment.batchSizes[turn % segment.batchSizes.length] ?? 1
    yield toBatch(segment.records.slice(start, start + size))
    start += size
  }
}

export async function write(segment: TestSegment, options: WriteSegmentOptions = {}): Promise<Uint8Array> {
  const stream = writeSegment(segment.header, batchesOf(segment), () => segment.end, {
    commits: () => segment.commits,
    ...options,
  })
  return await bytesOf(stream)
}

export function header(fields: Partial<SegmentHeader> = {}): SegmentHeader {
  return {
    sourceKind: 'sqlite',
    kind: 'base',
    pageSize: 512,
    from: toLsn(0),
    epoch: 3,
    firstTime: 1_700_000_000_000,
    startState: 0n,
    codec: 'zstd',
    cipher: 'none',
    salt: Uint8Array.from({ length: 16 }, (_, at) => at),
    ...fields,
  }
}

/** A page whose bytes follow from its seed, and compress. */
export function page(pageSize: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: pageSize }, (_, at) => ((at % 16) * (seed % 31) + (at >>> 6) * seed) & 0xff)
}

export function fullRecord(number: number, value: Uint8Array): TestRecord {
  return { page: number, op: op.full, value, hash: pageHash(number, value) }
}

/** A base of pages 1 to `count`. */
export function baseSegment(count: number, pageSize = 512, codec: Codec = 'zstd'): TestSegment {
  const records = Array.from({ length: count }, (_, at) => fullRecord(at + 1, page(pageSize, at + 1)))
  return {
    header: header({ pageSize, codec }),
    end: {
      to: toLsn(7),
      lastTime: 1_700_000_000_500,
      endState: records.reduce((state, record) => addHash(state, record.hash), emptyState),
      pageCount: count,
    },
    records,
    commits: [],
    batchSizes: [Math.max(1, 262_144 / pageSize)],
  }
}

/** A log: each commit changes pages of a database that it keeps, as patches where they are smaller. */
export function logSegment(
  changes: readonly (readonly [page: number, value: Uint8Array])[][],
  fields: Partial<SegmentHeader>,
): TestSegment {
  const top = header({ kind: 'log', from: toLsn(10), startState: 5n, ...fields })
  const pages = new Map<number, Uint8Array>()
  const records: TestRecord[] = []
  const commits = changes.map((commit, at): CommitEntry => {
    for (const [number, value] of commit) {
      const before = pages.get(number)
      const patch = before === undefined ? undefined : encodePatch(before, value)
      const full = fullRecord(number, value)
      records.push(patch === undefined ? full : { ...full, op: op.patch, value: patch })
      pages.set(number, value)
    }
    const pageCount = Math.max(...pages.keys(), 0)
    return {
      lsn: (top.from + at + 1) as Lsn,
      time: top.firstTime + at * 20,
      records: commit.length,
      pageCount,
      state: BigInt(at) * 77n,
    }
  })
  const last = commits.at(-1)
  return {
    header: top,
    end: {
      to: last?.lsn ?? top.from,
      lastTime: last?.time ?? top.firstTime,
      endState: last?.state ?? top.startState,
      pageCount: last?.pageCount ?? 0,
    },
    records,
    commits,
    batchSizes: [3],
  }
}

const codecs = fc.constantFrom<Codec>('none', 'gzip', 'zstd')
const pageSizes = fc.constantFrom(512, 1024, 4096, 65_536)
const batchSizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 })

/** A page that is compressible, or noise, or zero. */
function pageArbitrary(pageSize: number): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.nat(10_000).map((seed) => page(pageSize, seed)),
    fc.nat().map((seed) => noise(pageSize, seed)),
    fc.constant(new Uint8Array(pageSize)),
  )
}

export function noise(length: number, seed: number): Uint8Array {
  let state = (seed | 1) >>> 0
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

const bases = fc.tuple(pageSizes, codecs, batchSizes).chain(([pageSize, codec, sizes]) =>
  fc.array(pageArbitrary(pageSize), { maxLength: pageSize > 4096 ? 12 : 150 }).map((pages): TestSegment => {
    const base = baseSegment(0, pageSize, codec)
    const records = pages.map((value, at) => fullRecord(at + 1, value))
    const endState = records.reduce((state, record) => addHash(state, record.hash), emptyState)
    return { ...base, records, end: { ...base.end, endState, pageCount: records.length }, batchSizes: sizes }
  }),
)

const deltas = fc.tuple(pageSizes, codecs, batchSizes).chain(([pageSize, codec, sizes]) =>
  fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4_294_967_294 }), fc.boolean(), pageArbitrary(pageSize)), {
      selector: ([number]) => number,
      maxLength: pageSize > 4096 ? 12 : 120,
    })
    .map((changes): TestSegment => {
      const records = changes
        .filter(([number]) => number !== 0x4000_0000 / pageSize + 1)
        .toSorted(([a], [b]) => a - b)
        .map(([number, asPatch, value]): TestRecord => {
          const full = fullRecord(number, value)
          const patch = asPatch ? encodePatch(page(pageSize, number % 97), value) : undefined
          return patch === undefined ? full : { ...full, op: op.patch, value: patch }
        })
      const end = {
        to: toLsn(2 ** 52),
        lastTime: 1_700_000_000_000,
        endState: 2n ** 64n - 1n,
        pageCount: 4_294_967_294,
      }
      return {
        header: header({ kind: 'delta', pageSize, codec, from: toLsn(41) }),
        end,
        records,
        commits: [],
        batchSizes: sizes,
      }
    }),
)

const logs = fc.tuple(fc.constantFrom(512, 4096), codecs, batchSizes).chain(([pageSize, codec, sizes]) =>
  fc
    .array(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), pageArbitrary(pageSize)), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 40,
    })
    .map((changes): TestSegment => ({ ...logSegment(changes, { pageSize, codec }), batchSizes: sizes })),
)

export const segments: fc.Arbitrary<TestSegment> = fc.oneof(bases, deltas, logs)
