import { HoldfastError } from '../errors.ts'
import { blockType } from './block-type.ts'
import { checkHeader, checkRegion, checkTail } from './check-stored.ts'
import { CodecPool } from './codec.ts'
import { CommitFollower, decodeCommits } from './commit-table.ts'
import { damaged, malformed } from './damage.ts'
import type { CheckOptions, CheckProgress, SegmentDamage } from './damage-report.ts'
import { fetchPayloads } from './fetch-blocks.ts'
import { headerLength } from './limits.ts'
import type { OpenedSegment } from './opened-segment.ts'
import { PageProof } from './page-proof.ts'
import { decodePageTable } from './page-table.ts'
import { decodeRecords } from './records-block.ts'
import { RegionStream } from './segment-input.ts'
import { damageOf } from './stored-blocks.ts'

/** See `SegmentReader.checkContents`. The tables are read before the records, which are proved against them. */
export async function* checkContents(
  segment: OpenedSegment,
  options: CheckOptions,
): AsyncGenerator<CheckProgress, void, undefined> {
  const { blocks, header, input, rootOffset, object } = segment
  const total = input.size
  let done = 0
  let soundBlocks = true
  const proof = new PageProof(header, segment.end, blocks.total(blockType.pageTable))
  const commits = new CommitFollower({ header, end: segment.end, records: segment.totals.records })
  using codecs = new CodecPool()

  async function* eachBlock(
    slots: Iterable<number>,
    prove: (slot: number, payload: Uint8Array) => void,
  ): AsyncGenerator<CheckProgress, void, undefined> {
    for await (const { slot, bytes, release } of fetchPayloads(segment, codecs, slots, options)) {
      const damage = findIn(segment, slot, bytes, prove)
      release()
      if (damage.length > 0) soundBlocks = false
      done += blocks.storedLength(slot)
      yield { done, total, damage }
    }
  }

  const ends = await checkEnds(segment, options)
  done = headerLength + total - rootOffset
  yield { done, total, damage: ends }

  yield* eachBlock(blocks.slots(blockType.pageTable), (slot, payload) => {
    const part = decodePageTable(payload, blocks.entries(slot))
    proof.addTable(part)
    checkFirstKey(segment, slot, part.pages[0])
  })
  yield* eachBlock(blocks.slots(blockType.commitTable), (slot, payload) => {
    const part = decodeCommits(payload, blocks.entries(slot))
    for (const commit of part) {
      const complaint = commits.next(commit)
      if (complaint !== undefined) throw malformed(complaint)
    }
    checkFirstKey(segment, slot, part[0]?.lsn)
  })
  yield* eachBlock(blocks.slots(blockType.records), (slot, payload) => {
    const block = decodeRecords(slot, payload, blocks.entries(slot), header.pageSize, segment.totals)
    proof.addRecords(block)
    checkFirstKey(segment, slot, block.pages[0])
  })

  // What holds for the whole can only be judged when every part could be read.
  if (!soundBlocks) return
  const complaints = proof.finish(segment.totals.rawBytes)
  const commitComplaint = header.kind === 'log' ? commits.finish() : undefined
  if (commitComplaint !== undefined) complaints.push({ slot: undefined, message: commitComplaint })
  const damage = complaints.map(({ slot, message }) => ({
    slot,
    message:
      slot === undefined
        ? damaged(object, 'as a whole', message).message
        : damageOf(segment, slot, malformed(message)).message,
  }))
  yield { done, total, damage }
}

async function checkEnds(segment: OpenedSegment, { signal }: CheckOptions): Promise<SegmentDamage[]> {
  const { input, rootOffset } = segment
  const head = new RegionStream(input.read(0, headerLength, { signal }))
  const tail = new RegionStream(input.read(rootOffset, input.size - rootOffset, { signal }))
  try {
    const region = `index (bytes ${rootOffset} to ${input.size - 1})`
    return [
      ...(await checkRegion(segment, 'header', () => checkHeader(segment, head))),
      ...(await checkRegion(segment, region, () => checkTail(segment, tail))),
    ]
  } finally {
    await head.close()
    await tail.close()
  }
}

function findIn(
  segment: OpenedSegment,
  slot: number,
  bytes: Uint8Array | HoldfastError,
  prove: (slot: number, payload: Uint8Array) => void,
): SegmentDamage[] {
  if (bytes instanceof HoldfastError) return [{ slot, message: bytes.message }]
  try {
    prove(slot, bytes)
    return []
  } catch (error) {
    return [{ slot, message: damageOf(segment, slot, error).message }]
  }
}

function checkFirstKey(segment: OpenedSegment, slot: number, key: number | undefined): void {
  const stated = segment.blocks.firstKey(slot)
  if (key !== stated) throw malformed(`it begins with ${key} instead of ${stated}`)
}
