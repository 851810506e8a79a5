import assert from 'node:assert/strict'
import { type Lsn, toLsn } from '../../../src/history/lsn.ts'
import { planRestore } from '../../../src/history/plan.ts'
import { reachableLsns } from '../../../src/history/reachable.ts'
import type { SegmentInfo } from '../../../src/history/segment-info.ts'
import { openChain } from '../../../src/repository/chain.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { appliedCommits } from '../../support/applied-commits.ts'
import { seqOf } from './fake-database.ts'

/** A state's bytes, by applying every record up to it. */
export async function imageAt(
  database: DatabaseRepository,
  lsn: Lsn,
  segments: readonly SegmentInfo[],
): Promise<Buffer> {
  const { links } = await openChain(database, planRestore(segments, lsn))
  let image: Buffer = Buffer.alloc(0)
  for (const { reader, upTo } of links) {
    for await (const commit of appliedCommits(reader, image)) {
      image = commit.image
      if (commit.lsn === upTo) break
    }
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
