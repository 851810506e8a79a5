import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toLsn } from '../../src/history/lsn.ts'
import { reachableLsns } from '../../src/history/reachable.ts'
import { planRollUp } from '../../src/history/roll-up.ts'
import type { SegmentInfo, SegmentKind } from '../../src/history/segment-info.ts'
import type { GapRecord } from '../../src/history/windows.ts'

function segment(kind: SegmentKind, from: number, to: number, bytes = 1_000, epoch = 1): SegmentInfo {
  const key = `${from}-${to}-${epoch}-${kind}`
  return { kind, from: toLsn(from), to: toLsn(to), epoch, firstTime: from, lastTime: to, bytes, key }
}

const merge = (run: readonly SegmentInfo[]): SegmentInfo => {
  const { from = 0, epoch = 1 } = run[0] ?? {}
  return segment(
    'log',
    from,
    run.at(-1)?.to ?? 0,
    run.reduce((sum, { bytes }) => sum + bytes, 0),
    epoch,
  )
}

/** A base, then logs of one to five commits, with deltas and gaps between, and epochs that grow. */
const histories = fc
  .array(
    fc.record({
      commits: fc.integer({ min: 1, max: 5 }),
      bytes: fc.oneof(fc.integer({ min: 500, max: 3_000 }), fc.integer({ min: 500, max: 900_000 })),
      isDelta: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
      takeover: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
    }),
    { maxLength: 120 },
  )
  .map((steps) => {
    const segments = [segment('base', 0, 1)]
    const gaps: GapRecord[] = []
    let [at, epoch] = [1, 1]
    for (const { commits, bytes, isDelta, takeover } of steps) {
      if (takeover) epoch += 1
      const to = at + (isDelta ? 1 : commits)
      segments.push(segment(isDelta ? 'delta' : 'log', at, to, bytes, epoch))
      if (isDelta) gaps.push({ fromLsn: toLsn(at), toLsn: toLsn(to), fromTime: at, toTime: to, reason: 'away' })
      at = to
    }
    return { segments, gaps }
  })

const options = { maxBytes: 1_000_000, minSegments: 4 }

describe('planning to merge small logs', () => {
  it('merges only whole neighbouring logs of one epoch, and never across a gap', () => {
    fc.assert(
      fc.property(histories, ({ segments, gaps }) => {
        for (const run of planRollUp(segments, gaps, options).merges) {
          assert.ok(run.length >= 4)
          run.forEach((log, at) => {
            assert.equal(log.kind, 'log')
            assert.equal(log.epoch, run[0]?.epoch)
            if (at > 0) assert.equal(log.from, run[at - 1]?.to)
          })
          const { from, to, bytes } = merge(run)
          assert.ok(bytes <= options.maxBytes)
          assert.ok(bytes >= 3 * Math.max(...run.map((log) => log.bytes)))
          assert.ok(!gaps.some((gap) => gap.fromLsn < to && gap.toLsn > from))
        }
      }),
    )
  })

  it('reaches the same states after any of its merges, whether or not the old ones are deleted yet', () => {
    fc.assert(
      fc.property(histories, fc.nat(), ({ segments, gaps }, done) => {
        const before = reachableLsns(segments)
        const { merges } = planRollUp(segments, gaps, options)
        const applied = merges.slice(0, done % (merges.length + 1))
        const published = [...segments, ...applied.map(merge)]
        assert.deepEqual(reachableLsns(published), before)
        const replaced = new Set(applied.flat())
        assert.deepEqual(reachableLsns(published.filter((each) => !replaced.has(each))), before)
        const { covered } = planRollUp(published, gaps, options)
        assert.deepEqual(new Set(covered.map(({ segment: each }) => each)), replaced)
      }),
    )
  })

  it('comes to rest, and leaves few: a week of one-second batches becomes a hundred or so', () => {
    let segments = [segment('base', 0, 1)]
    let rewritten = 0
    const total = 7 * 24 * 60
    // One step stands for a minute of sixty batches, rolled up.
    for (let minute = 0; minute < total; minute += 1) {
      segments.push(segment('log', 1 + minute * 60, 61 + minute * 60, 60_000))
      if (minute % 10 > 0) continue
      const { merges } = planRollUp(segments)
      for (const run of merges) {
        const merged = merge(run)
        rewritten += merged.bytes
        segments = [...segments.filter((each) => !run.includes(each)), merged]
      }
    }
    assert.ok(segments.length < 150, `${segments.length} segments`)
    assert.ok(rewritten < 5 * total * 60_000, `every byte was rewritten ${rewritten / total / 60_000} times`)
  })

  it('leaves logs alone that another writer has made void in part', () => {
    const logs = Array.from({ length: 8 }, (_, at) => segment('log', 1 + at, 2 + at))
    const segments = [segment('base', 0, 1), ...logs, segment('log', 5, 9, 1_000, 2)]
    const { merges } = planRollUp(segments, [], options)
    assert.deepEqual(merges, [logs.slice(0, 4)])
  })
})
