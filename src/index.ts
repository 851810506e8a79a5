export type { Actor } from './agent/journal/audit/actor.ts'
export type { AuditEntry } from './agent/journal/audit/audit-entry.ts'
export type { OperationKind, OperationOutcome, OperationTrigger } from './agent/journal/operation.ts'
export type { RecordedOperation } from './agent/journal/recorded-operation.ts'
export type { BackupResult } from './backup/backup-options.ts'
export type { DeleteBackupOptions, DeletedBackup } from './backup/delete-backup.ts'
export type { RepositoryDescription } from './backup/init-repository.ts'
export type {
  BackupAllOptions,
  BackupDefaults,
  BackupManagerOptions,
  BackupOptions,
  BackupOutcome,
  DatabaseToBackUp,
  EngineSettings,
  IncrementalBackupOptions,
  NamedDatabase,
  OnBackupProgress,
  RecordingOptions,
  SnapshotBackupOptions,
} from './backup/manager-options.ts'
export { type SqliteDatabase, sqlite } from './backup/sqlite-database.ts'
export type { CaptureStatus, StopOptions } from './capture/capture.ts'
export type { CaptureStart, Unsent } from './capture/capture-events.ts'
export type { UpkeepAnywhereOptions } from './capture/control/upkeep-through-follower.ts'
export { LiveCapture, type LiveCaptureEvents, type LiveCaptureOptions } from './capture/live-capture.ts'
export {
  BackupError,
  type ErrorCode,
  type ErrorDetails,
  exitCodes,
  HoldfastError,
  hasCode,
  isErrorCode,
  type PartialBackup,
  RestoreError,
} from './errors.ts'
export type { Estimate } from './history/estimate.ts'
export type { Lsn } from './history/lsn.ts'
export type { Pause } from './history/pause.ts'
export { defaultRetention, type KeepReason, type RetentionPolicy } from './history/retention.ts'
export type { Gap, Window } from './history/windows.ts'
export { BackupManager } from './library/backup-manager.ts'
export type {
  BackupSchedule,
  BackupTimes,
  ScheduleBackupsOptions,
  ScheduledBackups,
} from './library/backup-schedule.ts'
export { type AuditLog, type AuditLogOptions, type AuditQuery, auditLog } from './library/history/audit-log.ts'
export type { HistoryQuery } from './library/history/history-of.ts'
export { type OperationHistoryOptions, operationHistory } from './library/history/operation-history.ts'
export { type InitRepositoryOptions, initRepository } from './library/init-repository.ts'
export type {
  CleanupOptions,
  DatabaseChoice,
  DrillDatabaseOptions,
  FollowDatabaseOptions,
} from './library/manager-choices.ts'
export {
  type MirrorRepositoryOptions,
  mirrorRepository,
  type PromoteMirrorOptions,
  promoteMirror,
} from './library/mirror-repository.ts'
export { PointInTimeRecovery } from './library/point-in-time-recovery.ts'
export { type ManagedRestoreOptions, RestoreManager, type RestoreManagerOptions } from './library/restore-manager.ts'
export { type RunDrillOptions, runDrill } from './library/run-drill.ts'
export { type VerifyBackupsOptions, verifyBackups } from './library/verify-backups.ts'
export type { CompactReport } from './maintenance/compact/compact-database.ts'
export type { DroppedBackup, ExpireReport, KeptBackup } from './maintenance/expire/expire-database.ts'
export type {
  AbsentObject,
  MirroredObject,
  MirrorFailure,
  MirrorFinding,
  MirrorOptions,
  MirrorReport,
} from './maintenance/mirror/mirror-options.ts'
export type { PromotedMirror, PromoteOptions } from './maintenance/mirror/promote.ts'
export type { PinnedBackup } from './maintenance/pins/pin-backup.ts'
export type {
  DeletedSegment,
  MergedSegment,
  UpkeepReport,
  WaitingSegment,
} from './maintenance/upkeep/upkeep-options.ts'
export type { BackupManifest, BackupType } from './repository/manifest.ts'
export type { BackupStats } from './repository/stats.ts'
export type {
  Moment,
  RecoveryOptions,
  RecoveryPhase,
  RecoveryResult,
  RecoveryStatus,
  RecoveryTarget,
} from './restore/recovery-options.ts'
export type { RestorePlan, RestoreResult, RestoreTargetState } from './restore/restore-options.ts'
export type { PointRange, RestorablePoint, RestorePoints } from './restore/restore-points.ts'
export type { Codec } from './segment/segment.ts'
export type { DatabaseFacts, ValidationReport } from './source/facts.ts'
export type { PageBatch } from './source/page-batch.ts'
export type {
  BackupSource,
  Inspection,
  InspectOptions,
  OpenSnapshotOptions,
  SourceSnapshot,
  ValidationLevel,
} from './source/source.ts'
export type { Proof } from './source/target.ts'
export type { FaultMoment, FaultPlan, ReadDamage, StorageOperation } from './storage/fault/fault-plan.ts'
export { FaultStorage } from './storage/fault/fault-storage.ts'
export { LocalStorage, type LocalStorageOptions } from './storage/local.ts'
export { MemoryStorage, type MemoryStorageOptions } from './storage/memory.ts'
export { ObserveStorage, type StorageTraffic } from './storage/observe/observe-storage.ts'
export { openStorage } from './storage/open-storage.ts'
export type { RetryOptions } from './storage/retry/backoff.ts'
export { RetryStorage } from './storage/retry/retry-storage.ts'
export type {
  BackupStorage,
  GetOptions,
  ObjectInfo,
  OperationOptions,
  PutBody,
  PutOptions,
  StorageCapabilities,
} from './storage/storage.ts'
export type { OnProgress, Progress } from './util/progress.ts'
export { type ProgressReport, RateMeter } from './util/rate-meter.ts'
export { version } from './util/version.ts'
export type { Assertion } from './verify/drill/assertion.ts'
export type {
  CheckOutcome,
  DrillCheck,
  DrillOptions,
  DrillReport,
  DrillState,
  DrillVerdict,
} from './verify/drill/drill-options.ts'
export type { VerifyFinding, VerifyLevel, VerifyOptions, VerifyResult } from './verify/verify-options.ts'
