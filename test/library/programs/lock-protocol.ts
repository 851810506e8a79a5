export const lockModes = {
  'an open write transaction in WAL mode': 'wal-writer',
  'an open read transaction in WAL mode': 'wal-reader',
  'an open write transaction in rollback mode': 'rollback-writer',
  'an open read transaction in rollback mode': 'rollback-reader',
} as const
export type LockMode = (typeof lockModes)[keyof typeof lockModes]

/** What the host is asked to do next. */
export type HostRequest = 'backUp' | 'follow' | 'openAndClose' | 'end'

export interface HostReport {
  /** The host's own locks on the database and its shared memory, as the kernel tells them. */
  readonly locks: readonly string[]
  /** LSNs of the backups made, or of the state at which following began and the one up to which it was synchronised. */
  readonly backups: readonly number[]
}
