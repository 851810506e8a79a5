import type { CaptureEvent, Unsent } from '../../capture/capture-events.ts'
import { isExpectedGap } from '../../capture/gap-reasons.ts'

/** Enough to tell the lag; while more waits, it is that of the oldest anyway. */
const mostWaiting = 1000

/** What is known of one followed database, from the events of its capture. */
export class Followed {
  readonly database: string
  readonly location: string
  mode: 'commits' | 'deltas' = 'commits'
  hasStarted = false
  /** Taken during this run. */
  commits = 0
  gaps = 0
  lsn = 0
  uploadedLsn = 0
  /** Milliseconds since 1970. */
  uploadedAt: number | undefined
  /** Undefined while nothing fails. */
  trouble: string | undefined
  /** Bytes of the database's log that were not handed back yet. */
  logBytes: () => number = () => 0
  left: Unsent = { segments: 0, bytes: 0 }
  readonly #waiting: { lsn: number; readonly time: number }[] = []
  #commitsUploaded = 0

  constructor(database: string, location: string) {
    this.database = database
    this.location = location
  }

  /** @param now milliseconds since 1970 */
  note(event: CaptureEvent, now: number): void {
    switch (event.kind) {
      case 'started':
        this.mode = event.mode
        this.lsn = event.lsn
        if (!this.hasStarted && event.how !== 'healed') this.uploadedLsn = event.lsn
        this.hasStarted = true
        this.trouble = undefined
        break
      case 'commits':
        this.commits += event.count
        this.lsn = event.lsn
        this.#wait(event.lsn, event.time)
        break
      case 'uploaded':
        this.uploadedLsn = event.lsn
        this.uploadedAt = now
        this.trouble = undefined
        while ((this.#waiting[0]?.lsn ?? Number.POSITIVE_INFINITY) <= event.lsn) this.#waiting.shift()
        break
      case 'gap':
        // That nothing is known of the time before the first state is no news.
        if (!isExpectedGap(event.reason)) this.gaps += 1
        break
      case 'retrying':
        this.trouble = `${event.what === 'upload' ? 'uploads fail' : 'the database cannot be read'} (${event.failures})`
        break
      case 'spool-full':
        this.trouble = event.action === 'gave-up' ? 'COMMITS ARE NOT KEPT' : 'the spool is full'
        break
      case 'stopped':
        this.left = event.left
        break
      case 'handed-off':
      case 'warning':
    }
  }

  /** Milliseconds since the oldest commit that is not in the repository yet was seen; 0 if all are. */
  lag(now: number): number {
    const [oldest] = this.#waiting
    return oldest === undefined ? 0 : Math.max(0, now - oldest.time)
  }

  /** Commits since this was last asked. */
  takeUploaded(): number {
    const count = this.commits - this.#commitsUploaded
    this.#commitsUploaded = this.commits
    return count
  }

  #wait(lsn: number, time: number): void {
    const last = this.#waiting.at(-1)
    if (this.#waiting.length < mostWaiting || last === undefined) this.#waiting.push({ lsn, time })
    else last.lsn = lsn
  }
}
