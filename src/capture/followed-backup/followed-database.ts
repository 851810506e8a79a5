import type { OpenSnapshotOptions } from '../../source/source.ts'
import type { OnProgress } from '../../util/progress.ts'
import type { HistoryEnd } from '../history-end.ts'
import type { StandingState } from '../rollback-capture.ts'
import type { Session } from '../session.ts'
import type { FollowedBackupRequest } from './followed-backup-request.ts'

export interface FollowedBackupOptions extends FollowedBackupRequest {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What a running capture offers for it. */
export interface FollowedDatabase {
  readonly session: Session
  /** The newest state that is kept. */
  readonly end: () => HistoryEnd
  /** Resolves when everything committed before is kept, in the spool at least. @throws DISK_FULL if it cannot be at present */
  keep(options: { readonly signal?: AbortSignal | undefined }): Promise<unknown>
  /** As `RollbackCapture.hold`; undefined if the database has a log. */
  hold(options: OpenSnapshotOptions): Promise<StandingState | undefined>
}
