import type { LossReason } from '../source/follower.ts'

/** Why commits may be missing between two states; as people read it in the list of restorable windows. */
export const gapReasons: Readonly<Record<LossReason | CaptureReason, string>> = {
  'not-followed': 'it was not followed yet',
  'not-running': 'the follower was not running',
  'log-reset': 'the log was reset before all of it was taken',
  'file-replaced': 'the database file was replaced',
  'page-size-changed': 'the page size of the database changed',
  'journal-mode-changed': 'the journal mode of the database changed',
  emptied: 'the database was emptied',
  'frames-vanished': 'frames of the log vanished, as after a power loss',
  'page-missing': 'a page that the log should hold was not in it',
  'audit-failed': 'the database was not what its log had said',
  'first-state': 'nothing is known of the time before the first state',
  'spool-full': 'the spool was full, since its disk was, or the repository could not be reached or was too slow',
  'spool-damaged': 'the spool was damaged',
  'no-log': 'the database has no write-ahead log',
  'number-taken': 'an interrupted backup, or an interrupted beginning, lies between',
  'history-damaged': 'the history before is damaged',
}

export type CaptureReason =
  /** Before its first capture there were only backups. */
  | 'not-followed'
  /** A capture ran before, and the newest state is not the one that it left: its folder is gone, or a backup was made since. */
  | 'not-running'
  | 'journal-mode-changed'
  /** Nothing is in its file any more, not even a header: whatever else happened, that is what is to be known. */
  | 'emptied'
  | 'first-state'
  | 'spool-full'
  | 'spool-damaged'
  | 'no-log'
  | 'number-taken'
  | 'history-damaged'
export type GapReason = LossReason | CaptureReason

/** Commits were let go by, or are not to be had any more: that the database is as it was before would show nothing. */
export function isLossOfCommits(reason: GapReason): boolean {
  return lossesOfCommits.has(reason)
}

const lossesOfCommits: ReadonlySet<GapReason> = new Set(['log-reset', 'page-missing', 'spool-damaged', 'spool-full'])

/** Nothing was lost that was to be kept: nobody followed the database, or there is nothing that could be followed. */
export function isExpectedGap(reason: string): boolean {
  return expected.some((key) => gapReasons[key] === reason)
}

const expected = ['first-state', 'not-followed', 'no-log'] as const
