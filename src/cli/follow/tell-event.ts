import type { CaptureEvent } from '../../capture/capture-events.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatFullTime } from '../format/time.ts'
import type { FollowLine } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { unsentJson } from '../json/unsent.ts'
import type { Output } from '../output.ts'
import type { Followed } from './followed.ts'

/** What happens to a followed database, for people or for programs. */
export function tellEvent(output: Output, followed: Followed, event: CaptureEvent): void {
  const { database } = followed
  if (event.kind === 'warning') {
    output.warn(event.hint === undefined ? event.message : `${event.message} ${event.hint}`, database)
    return
  }
  if (output.json) {
    const line = jsonLine(followed, event)
    if (line !== undefined) output.printJson(line)
    return
  }
  const text = eventText(event)
  if (text === undefined) return
  if (event.kind === 'handed-off') output.detail(`${database}: ${text}`)
  else output.note(`${database}: ${text}`)
}

function jsonLine(followed: Followed, event: Exclude<CaptureEvent, { kind: 'warning' }>): FollowLine | undefined {
  const about = { type: 'follow', database: followed.database } as const
  switch (event.kind) {
    case 'commits':
      return undefined
    case 'started': {
      const { kind, mode, how, lsn, time } = event
      return { ...about, event: kind, mode, how, lsn, time: isoTime(time) }
    }
    case 'uploaded': {
      const { kind, lsn, bytes, lagMs } = event
      return { ...about, event: kind, lsn, commits: followed.takeUploaded(), bytes, lagMs }
    }
    case 'gap': {
      const { kind, fromLsn, toLsn, fromTime, toTime, reason } = event
      return { ...about, event: kind, fromLsn, toLsn, fromTime: isoTime(fromTime), toTime: isoTime(toTime), reason }
    }
    case 'handed-off': {
      const { kind, complete, lockHeldMs, framesBefore, framesLeft } = event
      return { ...about, event: kind, complete, lockHeldMs, framesBefore, framesLeft }
    }
    case 'retrying': {
      const { kind, what, message, delayMs, failures } = event
      return { ...about, event: kind, what, message, delayMs, failures }
    }
    case 'spool-full': {
      const { kind, action, bytes, limitBytes } = event
      return { ...about, event: kind, action, bytes, limitBytes }
    }
    case 'stopped':
      return { ...about, event: 'stopped', left: unsentJson(event.left) }
  }
}

function eventText(event: CaptureEvent): string | undefined {
  switch (event.kind) {
    case 'started':
      return startText(event)
    case 'handed-off': {
      const { complete, lockHeldMs, framesBefore, framesLeft } = event
      const what = complete ? `all ${framesBefore} frames` : `${framesBefore - framesLeft} of ${framesBefore} frames`
      return `the log was handed back, ${what}; writers waited ${formatDuration(lockHeldMs)}`
    }
    case 'retrying': {
      // What keeps it from following may be the database, the disk or the repository: the message tells. The first failure, and then ever more rarely.
      const { what, message, delayMs, failures } = event
      if (!Number.isInteger(Math.log2(failures))) return undefined
      const subject = what === 'upload' ? 'An upload' : 'Following'
      return `${subject} failed, next try in ${formatDuration(delayMs)}: ${message}`
    }
    case 'spool-full': {
      const { action, bytes, limitBytes } = event
      const full = `${formatBytes(bytes)} wait for the repository, of ${formatBytes(limitBytes)} allowed`
      return action === 'merged' ? `${full}; single commits were merged away` : `${full}; COMMITS ARE NOT KEPT any more`
    }
    // What they mean is said by a warning, by the status, or at the end.
    case 'gap':
    case 'commits':
    case 'uploaded':
    case 'warning':
    case 'stopped':
      return undefined
  }
}

function startText({ mode, how, lsn, time }: Extract<CaptureEvent, { kind: 'started' }>): string {
  const from = `LSN ${lsn} of ${formatFullTime(time)}`
  const begins = {
    first: `its first state is stored: ${from}`,
    resumed: `goes on where it was left, with no commit missing: ${from}`,
    unchanged: `unchanged since its newest kept state: ${from}`,
    healed: `what changed since its newest kept state is stored: ${from}`,
  }[how]
  return mode === 'commits'
    ? `${begins}. From here on every commit can be restored.`
    : `${begins}. It has no write-ahead log: one state an interval is kept, not every commit.`
}
