/** Commits are let go by when the spool cannot take them: for how long, and what is left behind in case that nobody heals it. */
import { toHoldfastError } from '../errors.ts'
import type { Lsn } from '../history/lsn.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { Session } from './session.ts'
import { isSpoolOverLimit, relieveSpool, spoolLimitReached } from './spool/relieve-spool.ts'

/** How long until the next try, if the spool failed by itself; each try reads the whole database, so ever longer. */
const firstPauseMs = 5_000
const lastPauseMs = 600_000

/** Whether commits are kept, and when to try again to keep them. */
export class GivingUp {
  #until: number | undefined
  /** Something was in the spool, so that there is room once that is uploaded. */
  #waited = false
  #inARow = 0

  /** Makes room in a spool that has grown too large, or gives up keeping commits, and says so. */
  async relieve(session: Session, writer: BatchWriter): Promise<void> {
    const { settings, spool } = session
    const limitBytes = settings.spoolLimitBytes
    const isOverLimit = writer.failure === undefined && isSpoolOverLimit(session)
    if (isOverLimit && !(await relieveSpool(session))) await writer.giveUp(spoolLimitReached())
    const { failure } = writer
    if (failure === undefined || this.#until !== undefined) return
    this.#until = settings.clock.now() + Math.min(lastPauseMs, firstPauseMs * 2 ** Math.min(this.#inARow, 10))
    this.#waited = spool.items.length > 0
    this.#inARow += 1
    settings.onEvent({ kind: 'spool-full', action: 'gave-up', bytes: spool.bytes, limitBytes })
    const message = `Commits are not kept until the spool can be used again. ${failure.message}`
    settings.onEvent({ kind: 'warning', message, hint: failure.hint })
  }

  /** Once the repository has all that waited, or after a while. */
  isOver(now: number, { spool, settings }: Pick<Session, 'spool' | 'settings'>): boolean {
    if (this.#until === undefined || spool.bytes > settings.spoolLimitBytes / 2) return false
    // A clock that was set back must not make it last.
    const isPast = now >= this.#until || now < this.#until - lastPauseMs
    return (this.#waited && spool.items.length === 0) || isPast
  }

  /** Following has begun anew. Whether the spool takes commits again is not known yet. */
  end(): void {
    this.#until = undefined
  }

  /** The spool has taken some. */
  hasKept(): void {
    this.#inARow = 0
  }
}

type Notes = Pick<Session, 'givenUpFile' | 'settings'>

/** Nothing after that state is kept: the next start must know of it, if it comes to that. */
export async function noteGivenUp({ givenUpFile, settings }: Notes, kept: Lsn): Promise<void> {
  try {
    await givenUpFile.write(kept)
  } catch (thrown) {
    const { message, hint } = toHoldfastError(thrown)
    settings.onEvent({ kind: 'warning', message: `That commits are given up could not be noted: ${message}`, hint })
  }
}

/** Whatever was let go by is taken after all, or is a recorded gap. */
export async function forgetGivenUp({ givenUpFile, settings }: Notes): Promise<void> {
  try {
    await givenUpFile.clear()
  } catch (thrown) {
    const { message, hint } = toHoldfastError(thrown)
    settings.onEvent({ kind: 'warning', message: `The note of commits that were given up stays: ${message}`, hint })
  }
}
