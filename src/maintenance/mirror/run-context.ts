import type { Room } from '../../backup/room.ts'
import type { HoldfastError } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import type { OnProgress } from '../../util/progress.ts'
import type { AbsentEntries } from './absent-objects.ts'
import type { AbsentObject, MirroredObject, MirrorFinding } from './mirror-options.ts'
import type { Sides } from './sides.ts'

/** What holds for a whole run. */
export interface RunSettings {
  /** Undefined in a dry run. */
  readonly lease: Lease | undefined
  /** Of the mirror's disk; undefined in a dry run. */
  readonly room: Pick<Room, 'make'> | undefined
  readonly dryRun: boolean
  readonly now: number
  readonly graceMs: number
  readonly dropMissing: boolean
  readonly maxDelete: number | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: OnProgress | undefined
  /** @throws if the source is not there any more, or is another repository */
  readonly assertSource: () => Promise<void>
}

/** What a run does with one database, and what it finds. */
export class DatabaseRun {
  readonly settings: RunSettings
  readonly sides: Sides
  readonly findings: MirrorFinding[] = []
  readonly healed: string[] = []
  readonly deleted: MirroredObject[] = []
  copied = { objects: 0, bytes: 0 }
  waiting: readonly AbsentObject[] = []
  missing: readonly string[] = []
  heldBack: string | undefined
  /** Why it did not come to its end. */
  failure: HoldfastError | undefined
  /** What is known of what the source has no longer. */
  absent: AbsentEntries

  constructor(settings: RunSettings, sides: Sides, absent: AbsentEntries) {
    this.settings = settings
    this.sides = sides
    this.absent = absent
  }

  get source(): DatabaseRepository {
    return this.sides.source
  }

  get options(): { readonly signal: AbortSignal | undefined } {
    return { signal: this.settings.signal }
  }

  noteCopied(bytes: number): void {
    this.copied = { objects: this.copied.objects + 1, bytes: this.copied.bytes + bytes }
  }

  /** What was found is looked for anew. */
  beginAgain(): void {
    this.findings.length = 0
  }

  /** Right before anything is deleted or replaced. @throws LEASE_LOST */
  assertHeld(): void {
    this.settings.lease?.assertHeld()
  }
}
