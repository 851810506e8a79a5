import type { Lsn } from '../history/lsn.ts'
import type { Pause } from '../history/pause.ts'

interface Moment {
  readonly lsn: Lsn
  /** Milliseconds since 1970. */
  readonly time: number
}

/** From a pause in which nobody looked until all that was committed in it is in the spool. */
export class CatchingUp {
  readonly #from: Moment
  #until: Moment | undefined

  /** @param from the state before the pause, and until when that is known to have been the present one */
  constructor(from: Moment) {
    this.#from = from
  }

  /** Since when it is not known what was committed when, in milliseconds since 1970. */
  get since(): number {
    return this.#from.time
  }

  /** Before its end was stored, nobody looked again for long. */
  goOn(): void {
    this.#until = undefined
  }

  /** Everything up to there was committed in the pause; what comes is dated by when it is made. */
  end(last: Moment): void {
    this.#until ??= last
  }

  /** What is to be written down of the pause with a segment that ends there. */
  pauseUpTo(segmentEnd: Moment): Pause | undefined {
    const { lsn: toLsn, time: toTime } = this.isOver(segmentEnd.lsn) ? (this.#until ?? segmentEnd) : segmentEnd
    const { lsn: fromLsn, time: fromTime } = this.#from
    return fromLsn < toLsn && fromTime < toTime ? { fromLsn, toLsn, fromTime, toTime } : undefined
  }

  /** Nothing after that state was committed in the pause. */
  isOver(lsn: Lsn): boolean {
    return this.#until !== undefined && this.#until.lsn <= lsn
  }
}
