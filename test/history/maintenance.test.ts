import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  deletionOrder,
  isReachable,
  isVirtual,
  type Lsn,
  type LsnRange,
  type MaintenanceOptions,
  type MaintenancePlan,
  type Merge,
  mergedSegment,
  planMaintenance,
  planRestore,
  reachableLsns,
  type SegmentInfo,
  toLsn,
  UnreachableError,
  usableSegments,
  voidSegments,
  windowRange,
} from '../../src/history/index.ts'
import { anySegments, lsns, segment, timeOf } from './support/segments.ts'

const range = (first: number, last: number): LsnRange => ({ first: toLsn(first), last: toLsn(last) })
const nothing = { lsns: [], ranges: [] }
const never: MaintenanceOptions = { maxChain: 1000, minBytes: 1e12 }

const keys = (segments: readonly SegmentInfo[]) => segments.map(({ key }) => key)
const told = ({ kind, from, to, steps }: Merge) =>
  `${kind} ${from}-${to}: ${steps.map((step) => `${step.segment.kind} ${step.from}-${step.upTo}`).join(', ')}`

/** What is there when the merges are made and the deletions done. */
function after(segments: readonly SegmentInfo[], { merges, deletions }: Omit<MaintenancePlan, 'lost'>): SegmentInfo[] {
  const gone = new Set(keys(deletions))
  const made = merges.map(mergedSegment).filter(({ key }) => !gone.has(key))
  return [...segments.filter(({ key }) => !gone.has(key)), ...made]
}

describe('maintenance of what retention leaves', () => {
  it('makes one delta a kept state of the logs that are older than the window', () => {
    const segments = [segment('base', 0, 1), segment('log', 1, 10), segment('log', 10, 20), segment('log', 20, 30)]
    const { merges, deletions } = planMaintenance(segments, { lsns: lsns(5, 20), ranges: [range(21, 30)] }, never)
    assert.deepEqual(merges.map(told), ['delta 1-5: log 1-5', 'delta 5-20: log 5-10, log 10-20'])
    assert.deepEqual(keys(deletions), ['10-20-1-log', '1-10-1-log'])
  })

  it('leaves a log that reaches into the window, and the state that it starts from', () => {
    const segments = [segment('base', 0, 1), segment('log', 1, 10), segment('log', 10, 20)]
    const { merges, deletions } = planMaintenance(segments, { lsns: lsns(12), ranges: [range(15, 99)] }, never)
    assert.deepEqual(merges.map(told), ['delta 1-10: log 1-10'])
    assert.deepEqual(keys(deletions), ['1-10-1-log'])
  })

  it('keeps the newest state, if nothing else', () => {
    const segments = [segment('base', 0, 1), segment('log', 1, 10), segment('base', 0, 4)]
    const { merges, deletions } = planMaintenance(segments, nothing, never)
    assert.deepEqual(merges.map(told), ['delta 1-10: log 1-10'])
    assert.deepEqual(keys(deletions), ['1-10-1-log', '0-4-1-base'])
  })

  it('merges the deltas between kept states into one, a large one only when enough was added', () => {
    const big = segment('delta', 1, 2, { bytes: 10_000 })
    const small = [2, 3, 4].map((from) => segment('delta', from, from + 1))
    const { merges, deletions } = planMaintenance([segment('base', 0, 1), big, ...small], nothing, never)
    assert.deepEqual(merges.map(told), ['delta 2-5: delta 2-3, delta 3-4, delta 4-5'])
    assert.deepEqual(keys(deletions), ['4-5-1-delta', '3-4-1-delta', '2-3-1-delta'])
  })

  it('changes nothing where everything is wanted, and nothing a second time', () => {
    const segments = [segment('base', 0, 1), segment('log', 1, 10), segment('delta', 10, 11), segment('log', 11, 15)]
    assert.deepEqual(planMaintenance(segments, { lsns: [], ranges: [range(1, 99)] }), {
      merges: [],
      deletions: [],
      lost: [],
    })
  })

  it('gives a chain that is too long a base, and one whose changes have outgrown the base', () => {
    const steps = Array.from({ length: 9 }, (_, i) => segment('delta', i + 1, i + 2))
    const chain = [segment('base', 0, 1), ...steps]
    const all = { lsns: steps.map(({ to }) => to), ranges: [] }
    const long = planMaintenance(chain, all, { ...never, maxChain: 4 })
    assert.deepEqual(
      long.merges.map(({ kind, from, to }) => [kind, from, to]),
      [
        ['base', 0, 5],
        ['base', 0, 9],
      ],
    )
    assert.deepEqual(
      long.deletions.map(({ key }) => key),
      ['8-9-1-delta', '4-5-1-delta'],
    )
    const dear = planMaintenance(chain, all, { minBytes: 1, maxGrowth: 3 })
    assert.deepEqual(
      dear.merges.map(({ kind, from, to }) => [kind, from, to]),
      [['base', 0, 5]],
    )
  })

  it('merges a part of a long chain where its base is large and little changed since', () => {
    const steps = Array.from({ length: 9 }, (_, i) => segment('delta', i + 1, i + 2))
    const chain = [segment('base', 0, 1, { bytes: 1e9 }), ...steps]
    const all = { lsns: steps.map(({ to }) => to), ranges: [] }
    const { merges, deletions } = planMaintenance(chain, all, { maxChain: 4 })
    assert.ok(merges.length > 0 && merges.every(({ kind }) => kind === 'delta'), merges.map(told).join('; '))
    const left = after(chain, { merges, deletions })
    for (const { to } of steps) assert.ok(planRestore(left, to).steps.length <= 4)
  })

  it('deletes what a higher epoch made void, before that which made it void', () => {
    const old = [segment('base', 0, 5), segment('log', 5, 20)]
    const young = [segment('log', 15, 16, { epoch: 2 }), segment('log', 16, 30, { epoch: 2 })]
    const lost = segment('log', 20, 25)
    const segments = [...old, lost, ...young]
    const plan = planMaintenance(segments, { lsns: lsns(30), ranges: [] }, never)
    assert.deepEqual(plan.merges.map(told), ['delta 5-30: log 5-15, log 15-16, log 16-30'])
    assert.deepEqual(keys(plan.deletions), [lost.key, '5-20-1-log', '16-30-2-log', '15-16-2-log'])
  })

  it('lets nothing go while a log stays whose void tail it hides', () => {
    const segments = [
      segment('base', 0, 5),
      segment('log', 5, 20),
      segment('log', 15, 16, { epoch: 2 }),
      segment('base', 0, 40, { epoch: 2 }),
    ]
    const order = deletionOrder(segments, segments.slice(2, 3))
    assert.deepEqual(keys(order), [])
    assert.deepEqual(keys(deletionOrder(segments, segments.slice(1, 3))), ['5-20-1-log', '15-16-2-log'])
  })

  it('changes nothing while a kept state cannot be reached', () => {
    const segments = [segment('base', 0, 1), segment('delta', 3, 4)]
    assert.throws(() => planMaintenance(segments, { lsns: lsns(4), ranges: [] }), UnreachableError)
  })

  it('leaves what cannot be reached: what leads there may come back', () => {
    const segments = [segment('base', 0, 3), segment('delta', 5, 6), segment('log', 6, 9)]
    const plan = planMaintenance(segments, { lsns: lsns(3), ranges: [] })
    assert.deepEqual(plan, { merges: [], deletions: [], lost: segments.slice(1) })
  })
})

describe('the window', () => {
  it('begins with the log that holds its first commit', () => {
    const segments = [segment('base', 0, 1), segment('log', 1, 10), segment('log', 10, 20)]
    assert.equal(windowRange(segments, timeOf(15)).first, 11)
    assert.equal(windowRange(segments, timeOf(10)).first, 2)
  })

  it('is the newest state if nothing was committed since', () => {
    assert.equal(windowRange([segment('base', 0, 1), segment('log', 1, 10)], timeOf(99)).first, 10)
  })
})

const last = 12
const takeovers = fc
  .tuple(anySegments(last, 12), anySegments(last, 6))
  .map(([first, second]) => [
    ...first.map((one) => ({ ...one, bytes: one.bytes * 50 })),
    ...second.map((one) => ({ ...one, key: `t${one.key}`, epoch: 2, from: toLsn(one.from), bytes: one.bytes * 50 })),
  ])
const histories = fc.oneof(
  anySegments(last, 16).map((list) => list.map((one) => ({ ...one, bytes: one.bytes * 50 }))),
  takeovers,
)
const options = fc.record({
  maxChain: fc.integer({ min: 2, max: 6 }),
  minBytes: fc.constantFrom(1, 300, 1e9),
  smallBase: fc.constantFrom(0, 1e9),
  maxSteps: fc.integer({ min: 2, max: 5 }),
  costs: fc.constant({ requestBytes: 10 }),
})
const wishes = fc.record({
  lsns: fc.array(fc.integer({ min: 1, max: last }).map(toLsn), { maxLength: 5 }),
  ranges: fc
    .array(
      fc.tuple(fc.integer({ min: 1, max: last }), fc.integer({ min: 0, max: 6 })).map(([a, b]) => range(a, a + b)),
      { maxLength: 2 },
    )
    .map((list) => list),
})

describe('maintenance of any history', () => {
  const check = (
    law: (segments: readonly SegmentInfo[], keep: Keep, plan: MaintenancePlan, o: MaintenanceOptions) => void,
  ) =>
    fc.assert(
      fc.property(histories, wishes, options, (segments, { lsns: wanted, ranges }, given) => {
        const now = reachableLsns(segments)
        const keep = { lsns: wanted.filter((lsn) => isReachable(now, lsn)), ranges }
        law(segments, keep, planMaintenance(segments, keep, given), given)
      }),
      { numRuns: 2000 },
    )
  interface Keep {
    readonly lsns: readonly Lsn[]
    readonly ranges: readonly LsnRange[]
  }

  it('leaves every kept state, every commit of the window and the newest state reachable', () => {
    check((segments, { lsns: kept, ranges }, plan) => {
      const [before, then] = [reachableLsns(segments), reachableLsns(after(segments, plan))]
      const newest = before.at(-1)?.last
      for (const lsn of Array.from({ length: last }, (_, i) => toLsn(i + 1))) {
        const inWindow = ranges.some((one) => one.first <= lsn && lsn <= one.last)
        const wanted = kept.some((one) => one === lsn) || inWindow || lsn === newest
        if (wanted && isReachable(before, lsn)) assert.ok(isReachable(then, lsn), `LSN ${lsn} is lost`)
      }
    })
  })

  it('merges only neighbours that are there by then, of what counts of them, and carries their highest epoch', () => {
    check((segments, _, { merges }) => {
      const reach = new Map<string, number>(usableSegments(segments).map(({ segment: { key }, upTo }) => [key, upTo]))
      for (const merge of merges) {
        let at: number = merge.from
        for (const step of merge.steps) {
          const { segment: of, from, upTo } = step
          assert.equal(from, at)
          assert.ok(upTo > from && upTo <= (reach.get(of.key) ?? -1), told(merge))
          if (of.kind !== 'log') assert.ok(from === of.from && upTo === of.to)
          at = upTo
        }
        assert.equal(at, merge.to)
        assert.equal(merge.kind === 'base', merge.from === 0)
        const made = mergedSegment(merge)
        assert.ok(!reach.has(made.key) && isVirtual(made))
        reach.set(made.key, made.to)
      }
    })
  })

  it('never makes a void segment speak again, at no point of the deletions', () => {
    check((segments, _, { merges, deletions }) => {
      const upTo = (list: readonly SegmentInfo[]) =>
        new Map<string, number>(usableSegments(list).map((one) => [one.segment.key, one.upTo]))
      const made = merges.map(mergedSegment)
      const before = upTo(segments)
      const merged = upTo([...segments, ...made])
      for (const [key, to] of before) assert.equal(merged.get(key), to, 'a merge must not void anything')
      for (const { key, to } of made) assert.equal(merged.get(key), to, 'a merge must not be void itself')
      for (let n = 0; n <= deletions.length; n += 1) {
        const gone = new Set(keys(deletions.slice(0, n)))
        const left = upTo([...segments, ...made].filter(({ key }) => !gone.has(key)))
        for (const [key, to] of left) assert.ok(to <= (merged.get(key) ?? -1), `${key} speaks again`)
      }
      for (const one of voidSegments(segments)) assert.ok(deletions.includes(one))
    })
  })

  it('loses no kept state at any point of the deletions', () => {
    check((segments, { lsns: kept }, { merges, deletions }) => {
      for (let n = 0; n <= deletions.length; n += 1) {
        const gone = new Set(keys(deletions.slice(0, n)))
        const left = [...segments, ...merges.map(mergedSegment)].filter(({ key }) => !gone.has(key))
        const then = reachableLsns(left)
        for (const lsn of kept) assert.ok(isReachable(then, lsn), `LSN ${lsn} is lost after ${n} deletions`)
      }
    })
  })

  it('comes to rest: when its plan is carried out, again and again, there soon is nothing left to do', () => {
    check((segments, keep, first, given) => {
      let left = after(segments, first)
      for (let round = 0; round < 8; round += 1) {
        const named = left.map((one, i) => (isVirtual(one) ? { ...one, key: `made-${round}-${i}` } : one))
        const plan = planMaintenance(named, keep, given)
        if (plan.merges.length === 0 && plan.deletions.length === 0) return
        left = after(named, plan)
      }
      assert.fail('it never comes to rest')
    })
  })
})
