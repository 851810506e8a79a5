import type { Merge, MergeStep } from './retention.ts'
import type { SegmentInfo } from './segment-info.ts'

const virtualPrefix = 'merged:'

/** A segment that a plan's merge is going to make: it has no object yet. */
export function isVirtual({ key }: Pick<SegmentInfo, 'key'>): boolean {
  return key.startsWith(virtualPrefix)
}

/** What a merge will yield, as far as it is known: its size is a guess, and the time of a commit inside of a log that of the log's end. */
export function mergedSegment({ kind, from, to, steps }: Merge): SegmentInfo {
  const first = steps[0]?.segment
  const last = steps.at(-1)?.segment
  return {
    kind,
    from,
    to,
    epoch: Math.max(0, ...steps.map(({ segment }) => segment.epoch)),
    firstTime: first?.firstTime ?? 0,
    lastTime: last?.lastTime ?? 0,
    bytes: guessBytes(kind, steps),
    key: `${virtualPrefix}${kind}-${from}-${to}`,
  }
}

/** Bytes of the part of a segment that a step takes, as if its commits were of one size. */
export function stepBytes({ segment, from, upTo }: MergeStep): number {
  return Math.ceil((segment.bytes * (upTo - from)) / (segment.to - segment.from))
}

/** Of what changes a base, some pages change more than once, and the rest replaces pages. */
function guessBytes(kind: Merge['kind'], steps: readonly MergeStep[]): number {
  const sizes = steps.map(stepBytes)
  const all = sizes.reduce((sum, bytes) => sum + bytes, 0)
  const [first = 0] = sizes
  return kind === 'base' ? first + Math.ceil((all - first) / 2) : all
}
