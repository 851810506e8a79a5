import type { Ending } from './ending.ts'

/** What is recorded of a restore. */
export interface Restored {
  readonly plan: {
    readonly database: string
    readonly lsn: number
    readonly backup?: { readonly id: string } | null | undefined
    readonly estimate: { readonly commitsToReplay: number }
  }
  readonly mode: string
  readonly pagesWritten: number
  readonly bytesFetched: number
  readonly warnings: readonly string[]
}

export function restoreEnding({ plan, mode, pagesWritten, bytesFetched, warnings }: Restored): Ending {
  const { database, lsn, backup, estimate } = plan
  const figures = { lsn, pagesWritten, bytesFetched, commitsReplayed: estimate.commitsToReplay }
  return { database, type: mode, backupId: backup?.id, figures, warnings }
}
