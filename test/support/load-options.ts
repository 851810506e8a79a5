export interface LoadOptions {
  readonly path: string
  readonly seed: number
  readonly synchronous?: 'off' | 'normal' | 'full'
  /** Frames after which the writer's connections checkpoint by themselves; random by default. */
  readonly autoCheckpoint?: number
  /** How often, of 100 rounds, it checkpoints, vacuums or reconnects instead of writing; default 6. */
  readonly maintenancePercent?: number
  /** Rows above which it deletes rather than inserts; default 2000. */
  readonly rows?: number
  /** Rows that the largest transactions insert, change or remove; about one of 100 is larger than 500. Default 500. */
  readonly largest?: number
  /** Stop after so many rounds; default never. */
  readonly rounds?: number
  /** Rest between two rounds, in milliseconds; default none. */
  readonly pauseMs?: number
  /** Also write the commit's number and mark into the file's header, where they can be read without SQL; see commit-stamp.ts. */
  readonly stamp?: boolean
  /** File to which it adds when each commit began and ended, by its own clock; see noted-commits.ts. */
  readonly notes?: string
}
