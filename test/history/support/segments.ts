import fc from 'fast-check'
import { type Lsn, toLsn } from '../../../src/history/lsn.ts'
import type { SegmentInfo, SegmentKind } from '../../../src/history/segment-info.ts'

/** `segment('delta', 3, 7)`: times are those of its first and last LSN, by default one a second. */
export function segment(kind: SegmentKind, from: number, to: number, more: Partial<SegmentInfo> = {}): SegmentInfo {
  const epoch = more.epoch ?? 1
  return {
    kind,
    from: toLsn(from),
    to: toLsn(to),
    epoch,
    firstTime: kind === 'log' ? timeOf(from + 1) : timeOf(to),
    lastTime: timeOf(to),
    bytes: 100,
    key: `${from}-${to}-${epoch}-${kind}`,
    ...more,
  }
}

export function timeOf(lsn: number): number {
  return lsn * 1000
}

export const lsns = (...values: number[]): Lsn[] => values.map(toLsn)

/** A heap of segments of one history of `last` commits, with alternatives, overlaps and holes. */
export function anySegments(
  last: number,
  maxLength: number,
  time: (lsn: number) => number = timeOf,
): fc.Arbitrary<SegmentInfo[]> {
  const any = fc.record({
    kind: fc.constantFrom<SegmentKind>('base', 'delta', 'log'),
    ends: fc.uniqueArray(fc.integer({ min: 0, max: last }), { minLength: 2, maxLength: 2 }),
    bytes: fc.integer({ min: 1, max: 6 }),
  })
  return fc.array(any, { maxLength }).map((list) =>
    list.map(({ kind, ends, bytes }, i) => {
      const to = Math.max(...ends)
      const from = kind === 'base' ? 0 : Math.min(...ends)
      const firstTime = time(kind === 'log' ? from + 1 : to)
      return segment(kind, from, to, { bytes, firstTime, lastTime: time(to), key: `s${i}` })
    }),
  )
}
