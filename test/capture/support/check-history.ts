import assert from 'node:assert/strict'
import { type Lsn, toLsn } from '../../../src/history/lsn.ts'
import { planRestore } from '../../../src/history/plan.ts'
import { reachableLsns } from '../../../src/history/reachable.ts'
import type { SegmentInfo } from '../../../src/history/segment-info.ts'
import { openChain } from '../../../src/repository/chain.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { applyPatch } from '../../../src/segment/patch.ts'
import { op } from '../../../src/segment/segment.ts'
import { seqOf } from './fake-database.ts'

/** A state's bytes, by applying every record up to it. */
export async function imageAt(
  database: DatabaseRepository,
  lsn: Lsn,
  segments: readonly SegmentInfo[],
): Promise<Buffer> {
  const { links, pageSize } = await openChain(database, planRestore(segments, lsn))
  let image = Buffer.alloc(0)
  for (const { reader, records, upTo } of links) {
    const commits = []
    for await (const commit of reader.commits()) commits.push(commit)
    let left = records
    const resize = (pageCount: number) => {
      const next = Buffer.alloc(pageCount * pageSize)
      image.copy(next)
      image = next
    }
    if (commits.length === 0) resize(reader.end.pageCount)
    let inCommit = 0
    let commit = commits.shift()
    if (commit !== undefined) resize(commit.pageCount)
    for await (const block of reader.records()) {
      let offset = 0
      for (const [at, page] of block.pages.entries()) {
        const length = block.lengths[at] ?? 0
        const value = block.values.subarray(offset, offset + length)
        offset += length
        if (left === 0) continue
        left -= 1
        while (commit !== undefined && inCommit === commit.records) {
          commit = commits.shift()
          inCommit = 0
          if (commit !== undefined) resize(commit.pageCount)
        }
        inCommit += 1
        const place = image.subarray((page - 1) * pageSize, page * pageSize)
        if (block.ops[at] === op.full) place.set(value)
        else applyPatch(place, value)
      }
    }
    assert.equal(left, 0, `records of ${upTo}`)
  }
  return image
}

/**
 * Every state that can be restored is exactly that of one commit, and from one to the next is one commit, unless a recorded gap
 * lies between. Returns the commit number by LSN.
 */
export async function checkHistory(
  database: DatabaseRepository,
  truth: ReadonlyMap<number, Buffer>,
): Promise<Map<number, number>> {
  const { segments, gaps, problems } = await database.catalog()
  assert.deepEqual(problems, [])
  const commits = new Map<number, number>()
  let previous: { readonly lsn: number; readonly seq: number } | undefined
  for (const { first, last } of reachableLsns(segments)) {
    for (let lsn: number = first; lsn <= last; lsn += 1) {
      const image = await imageAt(database, toLsn(lsn), segments)
      const seq = seqOf(image)
      assert.ok(truth.get(seq)?.equals(image), `LSN ${lsn} is not the state of commit ${seq}`)
      const from = previous
      const isRecorded =
        from !== undefined && gaps.some((gap) => gap.fromLsn <= from.lsn && gap.toLsn >= lsn && gap.toLsn > gap.fromLsn)
      if (from !== undefined && !isRecorded) {
        assert.equal(lsn, from.lsn + 1, `nothing tells why LSN ${from.lsn + 1} is missing`)
        assert.equal(seq, from.seq + 1, `LSN ${lsn} is commit ${seq}, LSN ${from.lsn} is ${from.seq}`)
      }
      commits.set(lsn, seq)
      previous = { lsn, seq }
    }
  }
  return commits
}
