import type { StatesToKeep } from '../../history/plan-maintenance.ts'
import type { Lease } from '../../repository/lease.ts'
import type { BackupManifest } from '../../repository/manifest.ts'

/** Who makes a full backup wants one that stands for itself, also where another way to its state would be cheaper. */
export function ownBases(backups: readonly BackupManifest[]): ReadonlySet<string> {
  return new Set(
    backups.flatMap(({ segment, segmentKind }) => (segment !== null && segmentKind === 'base' ? [segment] : [])),
  )
}

/** What is being stored at this moment, and named by no manifest yet, is not unneeded. */
export function withPending(states: StatesToKeep, { pending }: Pick<Lease, 'pending'>): StatesToKeep {
  return pending === undefined ? states : { ...states, segments: new Set([...(states.segments ?? []), pending]) }
}
