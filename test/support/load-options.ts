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
  /** Stop after so many rounds; default never. */
  readonly rounds?: number
}
