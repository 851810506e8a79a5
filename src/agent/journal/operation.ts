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
  'pin',
  'unpin',
] as const
export type OperationKind = (typeof operationKinds)[number]

/** `interrupted`: it ended with its process, or was aborted; `inconclusive`: a drill or verification that could not be finished. */
export type OperationOutcome = 'succeeded' | 'warning' | 'failed' | 'interrupted' | 'inconclusive'

/** Who asked for it. */
export type OperationTrigger = 'manual' | 'schedule' | 'catch-up' | 'library'

export interface OperationStart {
  readonly kind: OperationKind
  /** Name in the repository; undefined for what concerns the whole repository. */
  readonly database?: string | undefined
  /** As shown to people: without credentials. */
  readonly repository: string
  /** `full`, `incremental` or `snapshot` of a backup; the level of a verification. */
  readonly type?: string | undefined
  readonly trigger: OperationTrigger
  /** Id of the schedule, when one asked. */
  readonly schedule?: string | undefined
}

export interface OperationEnd {
  readonly outcome: OperationOutcome
  /** Stable error code, when it failed. */
  readonly code?: string | undefined
  /** One sentence: what went wrong, or the warnings. */
  readonly message?: string | undefined
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
