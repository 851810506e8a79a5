import { hasCode } from '../errors.ts'
import type { GapReason } from './gap-reasons.ts'
import { type CaptureBeginning, LogCapture } from './log-capture.ts'
import { isNoLogPosition } from './no-log-position.ts'
import { hasNoLog, RollbackCapture } from './rollback-capture.ts'
import type { Session } from './session.ts'

/** Follows by the log, or, where there is none, by deltas. */
export async function startFollowing(
  session: Session,
  from: CaptureBeginning,
  signal: AbortSignal | undefined,
): Promise<LogCapture | RollbackCapture> {
  const { known, numbers, resumeAt, reason } = from
  const stoodInLog = resumeAt !== undefined && !isNoLogPosition(resumeAt)
  try {
    const isSwitched = resumeAt !== undefined && !stoodInLog
    const beginning = isSwitched ? { ...from, resumeAt: undefined, reason: switchedOr(reason) } : from
    return await LogCapture.start(session, beginning, signal)
  } catch (error) {
    if (!hasCode(error, 'DATABASE_UNSUPPORTED') || !(await hasNoLog(session.source, signal))) throw error
    const why = stoodInLog ? switchedOr(reason) : reason === 'not-running' ? 'no-log' : reason
    return await RollbackCapture.start(session, known, numbers, why, signal)
  }
}

const switchedOr = (reason: GapReason): GapReason => (reason === 'not-running' ? 'journal-mode-changed' : reason)

/** Where the last capture, or the last backup, left off. */
export function beginningOf({ known, resumeAt, lookedAt, highest, ...session }: Session): CaptureBeginning {
  return {
    known,
    resumeAt,
    lookedAt,
    numbers: { highest: highest.lsn },
    reason: reasonAtStart(known !== undefined, session),
  }
}

function reasonAtStart(
  isKnown: boolean,
  { spoolLost, gaveUp, damaged, wasFollowed }: Pick<Session, 'spoolLost' | 'gaveUp' | 'damaged' | 'wasFollowed'>,
): GapReason {
  if (!isKnown) return damaged ? 'history-damaged' : 'first-state'
  if (spoolLost) return 'spool-damaged'
  if (gaveUp) return 'spool-full'
  return wasFollowed ? 'not-running' : 'not-followed'
}
