import type { FetchOptions } from './fetch-blocks.ts'

export type CheckOptions = FetchOptions

export interface SegmentDamage {
  /** The damaged block, or undefined where it is another part or the segment as a whole. */
  readonly slot: number | undefined
  /** A whole sentence that names the object and the region. */
  readonly message: string
}

/** How far a check has come. Each damage is reported once. */
export interface CheckProgress {
  /** Bytes of the object checked so far, of `total`. */
  readonly done: number
  readonly total: number
  readonly damage: readonly SegmentDamage[]
}

/** Runs a check to its end. An empty result means that nothing is wrong. */
export async function findDamage(
  check: AsyncIterable<CheckProgress>,
  onProgress?: (progress: CheckProgress) => void,
): Promise<SegmentDamage[]> {
  const damage: SegmentDamage[] = []
  for await (const progress of check) {
    onProgress?.(progress)
    damage.push(...progress.damage)
  }
  return damage
}
