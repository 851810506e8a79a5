import { toLsn } from '../history/lsn.ts'
import { BlockTable } from './block-table.ts'
import { blockType } from './block-type.ts'
import { malformed } from './damage.ts'
import { decodeHeader, tooNew } from './header.ts'
import { blockEntryLength, headerLength, maxPage, rootHeadLength, rootVersion } from './limits.ts'
import type { SegmentEnd, SegmentHeader } from './segment.ts'
import { getUint64, setUint64, viewOf } from './uint64.ts'

/** What the root holds besides the table of blocks. */
export interface RootFacts {
  readonly end: SegmentEnd
  readonly records: number
  readonly rawBytes: number
  readonly hasPatches: boolean
  readonly hasMoves: boolean
}

/** The root's flags: bit 0, and bit 1. */
const patchesFlag = 1
const movesFlag = 2

export function encodeRoot(header: Uint8Array, facts: RootFacts, entries: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(rootHeadLength + entries.length)
  const view = viewOf(bytes)
  view.setUint16(0, rootVersion, true)
  view.setUint32(4, entries.length / blockEntryLength, true)
  bytes.set(header, 8)
  setUint64(view, 136, facts.end.to)
  setUint64(view, 144, facts.end.lastTime)
  view.setBigUint64(152, facts.end.endState, true)
  view.setUint32(160, facts.end.pageCount, true)
  view.setUint32(164, (facts.hasPatches ? patchesFlag : 0) | (facts.hasMoves ? movesFlag : 0), true)
  setUint64(view, 168, facts.records)
  setUint64(view, 176, facts.rawBytes)
  bytes.set(entries, rootHeadLength)
  return bytes
}

export interface DecodedRoot extends RootFacts {
  readonly headerBytes: Uint8Array
  readonly header: SegmentHeader
  readonly blocks: BlockTable
}

/**
 * @param end where the root begins, and the blocks end
 * @throws FORMAT_TOO_NEW
 * @throws INTEGRITY (without an object)
 */
export function decodeRoot(bytes: Uint8Array, end: number, sealOverhead: number, object: string): DecodedRoot {
  const view = viewOf(bytes)
  if (bytes.length < rootHeadLength) throw malformed('it is cut short')
  const version = view.getUint16(0, true)
  if (version !== rootVersion)
    throw tooNew(object, `has an index of version ${version}, which needs a later version of Holdfast`)
  if (bytes.length !== rootHeadLength + view.getUint32(4, true) * blockEntryLength) {
    throw malformed('its length does not match its number of blocks')
  }
  const headerBytes = bytes.subarray(8, 8 + headerLength)
  const header = decodeHeader(headerBytes, object)
  const root = {
    headerBytes,
    header,
    end: {
      to: toLsn(getUint64(view, 136)),
      lastTime: getUint64(view, 144),
      endState: view.getBigUint64(152, true),
      pageCount: view.getUint32(160, true),
    },
    ...decodeFlags(view.getUint32(164, true), object),
    records: getUint64(view, 168),
    rawBytes: getUint64(view, 176),
    blocks: new BlockTable(bytes.subarray(rootHeadLength), end, sealOverhead),
  }
  checkFacts(root)
  return root
}

function decodeFlags(flags: number, object: string): Pick<RootFacts, 'hasPatches' | 'hasMoves'> {
  if ((flags & ~(patchesFlag | movesFlag)) !== 0)
    throw tooNew(object, 'has index flags that need a later version of Holdfast')
  if (flags === movesFlag) throw malformed('it has patches that move bytes, and no patches')
  return { hasPatches: (flags & patchesFlag) !== 0, hasMoves: (flags & movesFlag) !== 0 }
}

function checkFacts({ header, end, records, blocks }: DecodedRoot): void {
  if (end.to < header.from) throw malformed(`it ends at ${end.to}, before its start ${header.from}`)
  if (end.lastTime < header.firstTime) throw malformed('it ends before the time of its start')
  if (end.pageCount > maxPage) throw malformed(`it has ${end.pageCount} pages`)
  if (blocks.total(blockType.records) !== records) throw malformed('its blocks do not add up to its number of records')
  if (header.kind !== 'log' && blocks.total(blockType.commitTable) > 0)
    throw malformed(`a ${header.kind} has no commit table`)
}
