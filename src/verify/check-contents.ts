import type { SegmentInfo } from '../history/segment-info.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { findDamage, type SegmentDamage } from '../segment/damage-report.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { Problems } from './problems.ts'

/** Reads every stored byte of a segment. @param onBytes bytes of it that are done */
export async function checkContents(
  database: DatabaseRepository,
  segment: SegmentInfo,
  problems: Problems,
  { onBytes, ...options }: OperationOptions & { readonly onBytes: (done: number) => void },
): Promise<void> {
  await problems.guard(segment.key, async () => {
    const reader = await database.openSegment(segment, options)
    const damage = await findDamage(reader.checkContents(options), ({ done }) => onBytes(done))
    if (damage.length > 0) problems.objects.set(segment.key, damageText(damage))
  })
}

/** The first few in full; a segment that was cut has as many as it lost blocks. */
function damageText(damage: readonly SegmentDamage[]): string {
  const shown = damage.slice(0, 3).map(({ message }) => message)
  return damage.length > shown.length
    ? `${shown.join(' ')} (and ${damage.length - shown.length} more)`
    : shown.join(' ')
}
