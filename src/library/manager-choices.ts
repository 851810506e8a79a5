import type { UpkeepAnywhereOptions } from '../capture/control/upkeep-through-follower.ts'
import type { LiveCaptureOptions } from '../capture/live-capture.ts'
import type { RetentionPolicy } from '../history/retention.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { RunDrillOptions } from '../verify/drill/run-drill.ts'

/** Which of a manager's databases is meant; needed only if it has several. */
export interface DatabaseChoice extends OperationOptions {
  readonly database?: string | undefined
}

export interface FollowDatabaseOptions extends Omit<LiveCaptureOptions, 'database'> {
  /** Which of the manager's databases; needed only if it has several. */
  readonly database?: string | undefined
}

export interface CleanupOptions extends UpkeepAnywhereOptions {
  /** Which of the manager's databases; needed only if it has several. */
  readonly database?: string | undefined
  /** Default: the manager's. */
  readonly retention?: RetentionPolicy | undefined
}

/** `database`: which of the manager's; needed only if it has several. */
export type DrillDatabaseOptions = Omit<RunDrillOptions, 'repository' | 'database' | 'engine'> & DatabaseChoice
