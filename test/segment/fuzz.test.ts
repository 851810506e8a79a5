import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HoldfastError } from '../../src/errors.ts'
import { decodeCommits } from '../../src/segment/commit-table.ts'
import { findDamage } from '../../src/segment/damage-report.ts'
import { decodeHeader } from '../../src/segment/header.ts'
import { decodePageTable } from '../../src/segment/page-table.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { decodeRecords } from '../../src/segment/records-block.ts'
import { decodeRoot } from '../../src/segment/root.ts'
import { forge } from './forge.ts'
import { baseSegment, collect, logSegment, memoryInput, noise, page, write } from './helpers.ts'

/** Runs a parser on bad input: it may succeed, or fail in one of the two permitted ways. */
async function onlyKnownFailures(parse: () => unknown): Promise<void> {
  try {
    await parse()
  } catch (error) {
    assert.ok(error instanceof HoldfastError, `${error}`)
    assert.ok(error.code === 'INTEGRITY' || error.code === 'FORMAT_TOO_NEW', error.code)
  }
}

async function readEverything(bytes: Uint8Array): Promise<void> {
  const reader = await openSegment(memoryInput(bytes))
  await findDamage(reader.checkStored())
  await findDamage(reader.checkContents())
  await collect(reader.records())
  await collect(reader.pageTable())
  await collect(reader.commits())
}

const bytes = fc.uint8Array({ maxLength: 400, size: 'max' })
/** Some bytes replaced, at places that are drawn again and again near the start. */
const edits = fc.array(fc.tuple(fc.oneof(fc.nat(40), fc.nat(100_000)), fc.nat(255)), { minLength: 1, maxLength: 6 })

test('random bytes are refused', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, (input) => onlyKnownFailures(() => readEverything(input))),
    { numRuns: 300 },
  )
})

test('payload parsers survive any bytes and any stated count', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.oneof(fc.nat(20), fc.nat(0xffff_ffff)), async (payload, count) => {
      await onlyKnownFailures(() => decodeRecords(0, payload, count, 512, { hasPatches: true, hasMoves: true }))
      await onlyKnownFailures(() => decodePageTable(payload, count))
      await onlyKnownFailures(() => decodeCommits(payload, count))
      await onlyKnownFailures(() => decodeRoot(payload, 5000, 0, 'x'))
      await onlyKnownFailures(() => decodeHeader(payload, 'x'))
    }),
    { numRuns: 500 },
  )
})

const shifted = Uint8Array.from(noise(512, 1)).copyWithin(30, 10, 200)

for (const codec of ['none', 'gzip', 'zstd'] as const) {
  const samples = [
    baseSegment(9, 512, codec),
    logSegment(
      [
        [
          [1, page(512, 1)],
          [2, page(512, 2)],
        ],
        [[1, page(512, 3)]],
      ],
      { codec },
    ),
    logSegment([[[1, noise(512, 1)]], [[1, shifted]]], { codec }),
  ]

  test(`${codec}: lies with right checksums end in a known failure`, async () => {
    const goods = await Promise.all(samples.map((segment) => write(segment)))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...goods), edits, edits, async (good, blockEdits, rootEdits) => {
        await onlyKnownFailures(async () => readEverything(await forge(good, blockEdits, rootEdits)))
      }),
      { numRuns: 150 },
    )
  })
}
