import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type ChainLink, checkChain } from '../../src/history/chain.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { isReachable, reachableLsns } from '../../src/history/reachable.ts'
import { anyPageHistory, checksum } from './support/page-history.ts'
import { anySegments, segment } from './support/segments.ts'

const link = (from: number, to: number, startState: bigint, endState: bigint): ChainLink => ({
  segment: segment(from === 0 ? 'base' : 'delta', from, to),
  upTo: toLsn(to),
  startState,
  endState,
})

suite('continuity of a chain', () => {
  test('holds where every segment starts at the state where the one before it ends', () => {
    assert.equal(checkChain([link(0, 1, 0n, 11n), link(1, 2, 11n, 12n), link(2, 5, 12n, 15n)]), undefined)
    assert.equal(checkChain([]), undefined)
  })

  test('a log left early ends at the state of that commit', () => {
    const early = { ...link(1, 9, 11n, 14n), upTo: toLsn(4) }
    assert.equal(checkChain([link(0, 1, 0n, 11n), early, link(4, 5, 14n, 15n)]), undefined)
  })

  test('the first break is named', () => {
    const broken = checkChain([link(0, 1, 0n, 11n), link(1, 2, 99n, 12n), link(7, 8, 0n, 0n)])
    assert.equal(broken?.index, 1)
    assert.equal(broken.reason, 'state')
    assert.equal(
      broken.message,
      '1-2-1-delta starts at state 0000000000000063, but the end of 0-1-1-base is 000000000000000b.',
    )
    assert.equal(checkChain([link(0, 1, 0n, 11n), link(2, 3, 11n, 12n)])?.reason, 'interval')
  })

  test('it starts from nothing', () => {
    assert.deepEqual(checkChain([link(1, 2, 11n, 12n)])?.reason, 'interval')
    assert.deepEqual(
      checkChain([link(0, 2, 11n, 12n)])?.message,
      '0-2-1-base starts at state 000000000000000b, but the empty state is 0000000000000000.',
    )
  })

  test('every plan of one history holds; a segment of another database breaks it', () => {
    const last = 8
    const histories = anyPageHistory({ minLength: last, maxLength: last })
    fc.assert(
      fc.property(histories, anySegments(last, 12), fc.nat(), ({ states }, segments, which) => {
        const state = (lsn: number) => checksum(states[lsn] ?? [])
        for (let lsn = 1; lsn <= last; lsn++) {
          if (!isReachable(reachableLsns(segments), toLsn(lsn))) continue
          const links = planRestore(segments, toLsn(lsn)).steps.map((step) => ({
            ...step,
            startState: state(step.segment.from),
            endState: state(step.upTo),
          }))
          assert.equal(checkChain(links), undefined)
          const foreign = which % links.length
          const swapped = links.map((each, i) => (i === foreign ? { ...each, startState: each.startState + 1n } : each))
          assert.equal(checkChain(swapped)?.index, foreign)
        }
      }),
    )
  })
})
