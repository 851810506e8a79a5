/**
 * A segment of a higher epoch says what of the lower ones is void. If it went first, they would speak again: so the void ones go
 * first, and nothing goes whose absence would give a voice to what stays.
 */
import type { SegmentInfo } from './segment-info.ts'
import { usableSegments } from './usable-segments.ts'

/**
 * Those of `deletions` that can be deleted now, in the order in which to do it: void ones, then the lower epochs before the higher;
 * within one what builds on others before the others, so that an interruption leaves nothing that leads from nowhere.
 *
 * @param segments everything there is, `deletions` among it
 */
export function deletionOrder(segments: readonly SegmentInfo[], deletions: Iterable<SegmentInfo>): SegmentInfo[] {
  const before = reaches(segments)
  let going = new Set([...deletions].map(({ key }) => key))
  for (;;) {
    const left = segments.filter(({ key }) => !going.has(key))
    const revived = [...reaches(left)].filter(([key, { upTo }]) => upTo > (before.get(key)?.upTo ?? -1))
    if (revived.length === 0) break
    const lowest = Math.min(...revived.map(([, { epoch }]) => epoch))
    going = new Set(segments.filter(({ key, epoch }) => going.has(key) && epoch <= lowest).map(({ key }) => key))
  }
  const chosen = segments.filter(({ key }) => going.has(key))
  const isVoid = ({ key }: SegmentInfo) => !before.has(key)
  return [
    ...chosen.filter(isVoid),
    ...chosen.filter((segment) => !isVoid(segment)).sort((a, b) => a.epoch - b.epoch || b.from - a.from || b.to - a.to),
  ]
}

/** How far each segment that is not void may be used. */
function reaches(segments: readonly SegmentInfo[]): Map<string, { readonly upTo: number; readonly epoch: number }> {
  return new Map(usableSegments(segments).map(({ segment, upTo }) => [segment.key, { upTo, epoch: segment.epoch }]))
}
