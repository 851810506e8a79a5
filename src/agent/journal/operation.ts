/** One thing that was done to a database or repository, as history, statistics, alerts and metrics see it. */
export const operationKinds = [
  'init',
  'backup',
  'follow',
  'restore',
  'verify',
  'drill',
  'expire',
  'compact',
  'mirror',
  'promote',
  'pin',
  'unpin',
  'delete',
  'forget',
] as const
export type OperationKind = (typeof operationKinds)[number]

/** `interrupted`: it ended with its process, or was aborted; `inconclusive`: a drill or verification that could not be finished. */
export const operationOutcomes = ['succeeded', 'warning', 'failed', 'interrupted', 'inconclusive'] as const
export type OperationOutcome = (typeof operationOutcomes)[number]

/** Who asked for it. */
export const operationTriggers = ['manual', 'schedule', 'catch-up', 'library'] as const
export type OperationTrigger = (typeof operationTriggers)[number]

export interface OperationStart {
  readonly kind: OperationKind
  /** Name in the repository; undefined for what concerns the whole repository. */
  readonly database?: string | undefined
  /** As shown to people: without credentials. */
  readonly repository: string
  /** `full`, `incremental` or `snapshot` of a backup; the level of a verification; the mode of a restore or of following; the URL of a mirror, and of what a promoted one was made from. */
  readonly type?: string | undefined
  readonly trigger: OperationTrigger
  /** Id of the schedule, when one asked. */
  readonly schedule?: string | undefined
}

export interface OperationEnd {
  /** As of the start, where it is known for sure only now. */
  readonly database?: string | undefined
  readonly type?: string | undefined
  readonly outcome: OperationOutcome
  /** Stable error code, when it failed. */
  readonly code?: string | undefined
  /** What went wrong, or, of what went well, the warnings. */
  readonly message?: string | undefined
  /** One sentence each: what is to be known besides what went wrong, and is no cause of it, such as that a hook after it failed. */
  readonly warnings?: readonly string[] | undefined
  readonly backupId?: string | undefined
  /** Bytes, counts and milliseconds by name: `bytesRead`, `bytesStored`, `pagesChanged`, `commits`, `recoveryMs` … */
  readonly figures?: Readonly<Record<string, number>> | undefined
}

export interface Operation extends OperationStart, OperationEnd {
  /** Unique, sortable by start. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
}
