/** What the model means, written down as plainly as possible and without regard for speed. */
import type { SegmentInfo } from '../../../src/history/segment-info.ts'

/** The LSNs at which a segment can be left. */
export function exits({ kind, from, to }: SegmentInfo): number[] {
  return kind === 'log' ? Array.from({ length: to - from }, (_, i) => from + 1 + i) : [to]
}

/** Every chain of segments from 0 to the target. */
export function allChains(segments: readonly SegmentInfo[], target: number, at = 0): SegmentInfo[][] {
  if (at === target) return [[]]
  return segments
    .filter(({ from }) => from === at)
    .flatMap((segment) =>
      exits(segment)
        .filter((exit) => exit <= target)
        .flatMap((exit) => allChains(segments, target, exit).map((rest) => [segment, ...rest])),
    )
}

export function naiveReachable(segments: readonly SegmentInfo[]): Set<number> {
  const reached = new Set([0])
  for (let before = -1; before !== reached.size; ) {
    before = reached.size
    for (const segment of segments) if (reached.has(segment.from)) for (const exit of exits(segment)) reached.add(exit)
  }
  return reached
}

/** Whether it is known that commit `lsn + 1` directly followed commit `lsn`, both restorable. */
export function isFollowed(segments: readonly SegmentInfo[], lsn: number): boolean {
  const reached = naiveReachable(segments)
  return segments.some(({ kind, from, to }) => kind === 'log' && reached.has(from) && from <= lsn && lsn < to)
}

/** Whether some chain leads from an LSN to a wanted one. */
export function leadsTo(segments: readonly SegmentInfo[], at: number, wanted: (lsn: number) => boolean): boolean {
  return wanted(at) || segments.some((s) => s.from === at && exits(s).some((exit) => leadsTo(segments, exit, wanted)))
}
