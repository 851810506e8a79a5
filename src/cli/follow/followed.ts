import { FollowTally } from '../../agent/journal/follow-tally.ts'
import type { CaptureEvent } from '../../capture/capture-events.ts'

/** Enough to tell the lag; while more waits, it is that of the oldest anyway. */
const mostWaiting = 1000

/** What is known of one followed database, from the events of its capture. */
export class Followed extends FollowTally {
  readonly database: string
  readonly location: string
  /** Milliseconds since 1970. */
  uploadedAt: number | undefined
  /** Undefined while nothing fails. */
  trouble: string | undefined
  /** Bytes of the database's log that were not handed back yet. */
  logBytes: () => number = () => 0
  readonly #waiting: { lsn: number; readonly time: number }[] = []
  #commitsUploaded = 0

  constructor(database: string, location: string) {
    super()
    this.database = database
    this.location = location
  }

  /** @param now milliseconds since 1970 */
  note(event: CaptureEvent, now: number): void {
    this.count(event)
    switch (event.kind) {
      case 'started':
        this.trouble = undefined
        break
      case 'commits':
        this.#wait(event.lsn, event.time)
        break
      case 'uploaded':
        this.uploadedAt = now
        this.trouble = undefined
        while ((this.#waiting[0]?.lsn ?? Number.POSITIVE_INFINITY) <= event.lsn) this.#waiting.shift()
        break
      case 'retrying':
        this.trouble = `${event.what === 'upload' ? 'uploads fail' : 'following fails'} (${event.failures})`
        break
      case 'spool-full':
        this.trouble = event.action === 'gave-up' ? 'COMMITS ARE NOT KEPT' : 'the spool is full'
        break
      default:
        break
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
