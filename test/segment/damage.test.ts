import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldfastError } from '../../src/errors.ts'
import { findDamage, type SegmentDamage } from '../../src/segment/damage-report.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import type { Codec } from '../../src/segment/segment.ts'
import { baseSegment, collect, logSegment, memoryInput, page, type TestSegment, write } from './helpers.ts'

const small = {
  base: baseSegment(6),
  log: logSegment(
    [
      [
        [1, page(512, 1)],
        [2, page(512, 2)],
      ],
      [[1, page(512, 3)]],
      [[3, new Uint8Array(512)]],
    ],
    { codec: 'gzip' },
  ),
}

/** What both full checks and a plain reading say of an object. */
async function examine(
  bytes: Uint8Array,
): Promise<{ stored: SegmentDamage[]; contents: SegmentDamage[] } | HoldfastError> {
  try {
    const reader = await openSegment(memoryInput(bytes), { object: 'a/b.hfs' })
    return { stored: await findDamage(reader.checkStored()), contents: await findDamage(reader.checkContents()) }
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error))
    return error
  }
}

function isNamedDamage(found: Awaited<ReturnType<typeof examine>>): boolean {
  if (found instanceof HoldfastError) return found.code === 'INTEGRITY' && found.object === 'a/b.hfs'
  return [found.stored, found.contents].every(
    (list) => list.length > 0 && list.every(({ message }) => message.includes('a/b.hfs')),
  )
}

async function readAll(bytes: Uint8Array): Promise<unknown> {
  const reader = await openSegment(memoryInput(bytes))
  const records = (await collect(reader.records())).map(({ release: _, ...block }) => block)
  return [records, await collect(reader.pageTable()), await collect(reader.commits())]
}

for (const [name, segment] of Object.entries(small)) {
  test(`${name}: any flipped byte is found by both checks, and never read as something else`, async () => {
    const good = await write(segment)
    const whole = await readAll(good)
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
      assert.ok(isNamedDamage(await examine(bad)), `byte ${at} of ${good.length}`)
      await readAll(bad).then(
        (read) => assert.deepEqual(read, whole, `byte ${at}`),
        (error: unknown) =>
          assert.ok(error instanceof HoldfastError && error.code === 'INTEGRITY', `byte ${at}: ${error}`),
      )
    }
  })

  test(`${name}: cut anywhere, or with bytes added, it is refused`, async () => {
    const good = await write(segment)
    for (let length = 0; length < good.length; length++)
      assert.ok(isNamedDamage(await examine(good.subarray(0, length))), `${length}`)
    assert.ok(isNamedDamage(await examine(Buffer.concat([good, Uint8Array.of(0)]))))
    assert.ok(isNamedDamage(await examine(Buffer.concat([good, good]))))
    assert.ok(isNamedDamage(await examine(good.subarray(1))))
  })
}

test('every damaged block is reported by its slot, and the others can still be read', async () => {
  const { bytes, reader } = await written(baseSegment(3000))
  for (const slot of [1, 4]) flip(bytes, reader.blocks.offset(slot) + 5)
  for (const check of [reader.checkStored(), reader.checkContents()]) {
    assert.deepEqual(
      (await findDamage(check)).map((damage) => damage.slot),
      [1, 4],
    )
  }
  await assert.rejects(collect(reader.records()), { code: 'INTEGRITY', message: /block 1 \(bytes \d+ to \d+\)/ })
  assert.equal((await collect(reader.records({ blocks: [0, 2, 3, 5] }))).length, 4)
})

test('two blocks in each other’s place are both found', async () => {
  const { bytes, reader } = await written(baseSegment(1536, 512, 'none'))
  const [first, second] = [reader.blocks.offset(1), reader.blocks.offset(2)]
  const length = reader.blocks.storedLength(1)
  assert.equal(length, reader.blocks.storedLength(2))
  const copy = Buffer.from(bytes.subarray(first, first + length))
  bytes.copyWithin(first, second, second + length)
  bytes.set(copy, second)
  assert.deepEqual(
    (await findDamage(reader.checkStored())).map((damage) => damage.slot),
    [1, 2],
  )
})

test('an object that shrinks after it was opened is damaged from there on', async () => {
  const { bytes, reader, input } = await written(baseSegment(3000))
  const cut = reader.blocks.offset(3) + 1
  const original = input.read
  input.read = (offset, length) => original(offset, Math.max(0, Math.min(length, cut - offset)))
  const slots = Array.from({ length: reader.blocks.count - 3 }, (_, at) => at + 3)
  const stored = await findDamage(reader.checkStored())
  assert.deepEqual(
    stored.map((damage) => damage.slot),
    [...slots, undefined],
  )
  assert.ok(bytes.length > cut)
})

const lies: Record<string, (segment: TestSegment) => TestSegment> = {
  'a wrong page hash': (segment) => ({
    ...segment,
    records: segment.records.map((record, at) => (at === 2 ? { ...record, hash: 5n } : record)),
  }),
  'a wrong state checksum': (segment) => ({ ...segment, end: { ...segment.end, endState: segment.end.endState + 1n } }),
  'a missing page': (segment) => ({ ...segment, records: segment.records.slice(0, -1) }),
}
for (const [name, lie] of Object.entries(lies)) {
  test(`${name} is found in the contents, whatever the checksums say`, async () => {
    const { reader } = await written(lie(baseSegment(6)))
    assert.deepEqual(await findDamage(reader.checkStored()), [])
    assert.notDeepEqual(await findDamage(reader.checkContents()), [])
  })
}

test('checks report progress up to the whole object', async () => {
  for (const codec of ['none', 'zstd'] satisfies Codec[]) {
    const { bytes, reader } = await written(baseSegment(2000, 512, codec))
    for (const check of [reader.checkStored(), reader.checkContents()]) {
      const steps = (await collect(check)).map((progress) => progress.done)
      assert.deepEqual(
        steps,
        steps.toSorted((a, b) => a - b),
      )
      assert.equal(steps.at(-1), bytes.length)
    }
  }
})

test('an aborted reading or writing ends with ABORTED', async () => {
  const { reader } = await written(baseSegment(3000))
  const signal = AbortSignal.abort()
  await assert.rejects(collect(reader.records({ signal })), { code: 'ABORTED' })
  await assert.rejects(collect(reader.checkStored({ signal })), { code: 'ABORTED' })
  await assert.rejects(write(baseSegment(5), { signal }), { code: 'ABORTED' })
})

async function written(segment: TestSegment) {
  const bytes = await write(segment)
  const input = memoryInput(bytes)
  return { bytes, input, reader: await openSegment(input) }
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
}
