import type { CaptureEvent, Unsent } from '../../capture/capture-events.ts'
import { isExpectedGap } from '../../capture/gap-reasons.ts'
import { counted } from '../../util/counted.ts'
import type { Ending } from './ending.ts'

/** What is recorded of following a database, from the events of its capture. */
export class FollowTally {
  mode: 'commits' | 'deltas' = 'commits'
  hasStarted = false
  /** Taken during this run. */
  commits = 0
  gaps = 0
  lsn = 0
  uploadedLsn = 0
  left: Unsent = { segments: 0, bytes: 0 }

  count(event: CaptureEvent): void {
    switch (event.kind) {
      case 'started':
        this.mode = event.mode
        this.lsn = event.lsn
        if (!this.hasStarted && event.how !== 'healed') this.uploadedLsn = event.lsn
        this.hasStarted = true
        break
      case 'commits':
        this.commits += event.count
        this.lsn = event.lsn
        break
      case 'uploaded':
        this.uploadedLsn = event.lsn
        break
      case 'gap':
        // That nothing is known of the time before the first state is no news.
        if (!isExpectedGap(event.reason)) this.gaps += 1
        break
      case 'stopped':
        this.left = event.left
        break
      default:
        break
    }
  }

  get figures(): Readonly<Record<string, number>> {
    const { commits, gaps, lsn, uploadedLsn } = this
    return { commits, gaps, lsn, uploadedLsn }
  }

  /** How following ended, if that was in order. */
  get ending(): Ending {
    const { mode, gaps, left, figures } = this
    const warnings = [
      ...(gaps === 0 ? [] : [`${counted(gaps, 'gap')} recorded.`]),
      ...(left.gaveUpAfter === undefined
        ? []
        : [`Nothing after LSN ${left.gaveUpAfter} was kept: the spool was full.`]),
      ...(left.segments === 0 ? [] : [`${counted(left.segments, 'segment')} not uploaded yet.`]),
    ]
    return { type: mode, figures, warnings }
  }
}
